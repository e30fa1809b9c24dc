import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '#kernel';
import { blobStores } from './session/blob-stores.ts';
import type { SessionService } from './session/session-service.ts';
import type { Setting } from './solve.ts';

/** The caches of a build, those in folders of this machine found. */
export interface CacheFolders {
  readonly imports: readonly Setting[];
  readonly exports: readonly Setting[];
  readonly services: readonly SessionService[];
  /** Names in each folder what the engine has written, once the build has said what that is. */
  finish(response: Readonly<Record<string, string>>): void;
}

interface Layout {
  readonly manifests?: readonly Entry[];
}

interface Entry {
  readonly digest?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const nameKey = 'org.opencontainers.image.ref.name';

/** A cache that is not there yet is left out, and `warned` is told. Throws in buildx's words. */
export function findCacheFolders(
  from: readonly Setting[],
  to: readonly Setting[],
  warned: (text: string) => void,
): CacheFolders {
  const folders = new Map<string, string>();
  const targets: (readonly [folder: string, tag: string])[] = [];
  const imports = from.flatMap((setting): readonly Setting[] => {
    if (setting.type !== 'local') return [setting];
    const { src = '', tag = 'latest', digest = digestIn(src, tag) } = setting.attrs;
    if (src === '') throw new Error('local cache importer requires src');
    if (digest === undefined) {
      warned(`local cache import at ${src} skipped: no digest found for tag ${tag}`);
      return [];
    }
    folders.set(`local:${src}`, src);
    return [{ ...setting, attrs: { ...setting.attrs, digest } }];
  });
  for (const { type, attrs } of to) {
    if (type !== 'local') continue;
    const { dest = '', tag = 'latest' } = attrs;
    if (dest === '') throw new Error('local cache exporter requires dest');
    mkdirSync(dest, { recursive: true });
    folders.set(`local:${dest}`, dest);
    targets.push([dest, tag]);
  }
  return {
    imports,
    exports: to,
    services: folders.size > 0 ? [blobStores(folders)] : [],
    finish: (response) => {
      const manifest = response['cache.manifest'];
      if (manifest === undefined) return;
      // The engine's own JSON.
      for (const [folder, tag] of targets) nameIn(folder, tag, JSON.parse(manifest) as Entry);
    },
  };
}

function layoutIn(folder: string): Layout {
  try {
    return JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Layout; // its parts are checked where they are used
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {};
    throw error;
  }
}

const digestIn = (folder: string, tag: string): string | undefined =>
  layoutIn(folder).manifests?.find(({ annotations }) => annotations?.[nameKey] === tag)?.digest;

function nameIn(folder: string, tag: string, manifest: Entry): void {
  const others = (layoutIn(folder).manifests ?? []).filter(
    ({ annotations }) => annotations?.[nameKey] !== tag,
  );
  const named = { ...manifest, annotations: { ...manifest.annotations, [nameKey]: tag } };
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [...others, named],
  };
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const path = join(folder, 'index.json');
  writeFileSync(`${path}.new`, JSON.stringify(index));
  renameSync(`${path}.new`, path);
}
