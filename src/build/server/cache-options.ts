import type { SolveRequest } from '#buildkit';
import { invalidArgument } from '#kernel';
import { isDigest } from '#oci';
import type { RegistryAuth, RegistryClient } from '#registry/client';
import type { CacheRequest } from '../cache/build-caches.ts';
import type { CacheTarget } from '../cache/cache-export.ts';
import type { CacheOrigin } from '../cache/cache-origin.ts';
import { RegistryCache } from '../cache/registry-cache.ts';
import { flagOf, layerFormOf, switchOf, type ExportAttributes } from '../export/export-attributes.ts';
import type { ClientSession } from './client-session.ts';
import type { FrontendOptions } from './frontend-options.ts';
import { ClientStore } from './client-store.ts';

export interface CacheParts {
  readonly session: ClientSession | undefined;
  readonly registry: RegistryClient;
  readonly credentials: (name: string) => Promise<RegistryAuth | undefined>;
}

type Entry = Readonly<{ type: string; attrs: ExportAttributes }>;

/** Reads what a client asks for. Throws invalidArgument for kinds of caches that there are none of. */
export function cacheRequestOf(
  { cache }: SolveRequest,
  options: FrontendOptions,
  parts: CacheParts,
): CacheRequest {
  const exports = cache?.exports ?? [];
  const imports: readonly Entry[] = cache?.imports ?? [];
  const named = (options['cache-from'] ?? '')
    .split(',')
    .filter((ref) => ref !== '' && !imports.some(({ attrs }) => attrs['ref'] === ref))
    .map((ref) => ({ type: 'registry', attrs: { ref } }));
  return {
    from: [...imports, ...named].map((entry) => originOf(entry, parts)),
    to: exports.filter(({ type }) => type !== 'inline').map((entry) => targetOf(entry, parts)),
    isInline:
      exports.some(({ type }) => type === 'inline') ||
      switchOf(options, 'build-arg:BUILDKIT_INLINE_CACHE') === true,
  };
}

function originOf({ type, attrs }: Entry, parts: CacheParts): CacheOrigin {
  switch (type) {
    case 'registry': {
      const ref = attrs['ref'] ?? '';
      refuseInsecure(attrs);
      return {
        title: `importing cache manifest from ${ref}`,
        image: ref,
        repository: new RegistryCache(ref, { ...parts, scope: 'pull' }),
      };
    }
    case 'local': {
      const { digest = '', src = '' } = attrs;
      if (!isDigest(digest)) throw invalidArgument('local cache importer requires explicit digest');
      if (src === '') throw invalidArgument('local cache importer requires src');
      const title = `importing cache manifest from local:${src}`;
      return { title, repository: new ClientStore(sessionOf(parts), `local:${src}`, digest) };
    }
    default:
      throw invalidArgument(`unknown cache importer: ${JSON.stringify(type)}${known}`);
  }
}

function targetOf({ type, attrs }: Entry, parts: CacheParts): CacheTarget {
  const isOci = switchOf(attrs, 'oci-mediatypes') ?? true;
  const isManifest = switchOf(attrs, 'image-manifest') ?? isOci;
  if (isManifest && !isOci) {
    throw invalidArgument(
      'invalid configuration for remote cache, OCI mediatypes are required for image-manifest cache format',
    );
  }
  const common = {
    mode: modeOf(attrs['mode']),
    form: layerFormOf(attrs) ?? { type: 'gzip' },
    ...{ isOci, isManifest },
    ignoresErrors: flagOf(attrs, 'ignore-error'),
    withMounts: flagOf(attrs, 'mounts'),
  } as const;
  switch (type) {
    case 'registry':
      refuseInsecure(attrs);
      return {
        ...common,
        title: 'exporting cache to registry',
        sink: new RegistryCache(attrs['ref'] ?? '', { ...parts, scope: 'push,pull' }),
      };
    case 'local': {
      const { dest = '' } = attrs;
      if (dest === '') throw invalidArgument('local cache exporter requires dest');
      const sink = new ClientStore(sessionOf(parts), `local:${dest}`);
      return { ...common, title: 'exporting cache to client directory', sink };
    }
    default:
      throw invalidArgument(`unknown cache exporter: ${JSON.stringify(type)}${known}`);
  }
}

const known = ': this engine has inline, registry and local';

/** `min` is what BuildKit takes other words for. */
function modeOf(mode = 'min'): 'min' | 'max' {
  if (mode === 'min' || mode === 'max') return mode;
  throw invalidArgument(`unsupported cache mode ${JSON.stringify(mode)}: use min or max`);
}

function refuseInsecure(attributes: ExportAttributes): void {
  if (!flagOf(attributes, 'registry.insecure')) return;
  throw invalidArgument('registry.insecure is not supported: add the registry to insecure-registries');
}

function sessionOf({ session }: CacheParts): ClientSession {
  if (session) return session;
  throw invalidArgument('local cache exporter/importer requires session');
}
