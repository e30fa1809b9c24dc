import { invalidArgument } from '#kernel';
import { canonicalString, familiarString, formatPlatform, parseReference, withDefaultTag } from '#oci';
import type { Platform } from '#oci';
import { findGitSource } from './git-source.ts';
import type { GitSource } from './git-source.ts';

/** `--build-context name=…`: what stands in place of an image or a stage of that name. */
export type NamedContext =
  | { readonly kind: 'scratch' }
  /** Canonical, with a tag or digest. */
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'layout'; readonly store: string; readonly digest: string }
  | { readonly kind: 'git'; readonly source: GitSource }
  | { readonly kind: 'http'; readonly url: string }
  /** Files that the client sends under this name. */
  | { readonly kind: 'local'; readonly name: string }
  /** The result of another target of the same bake. */
  | { readonly kind: 'input'; readonly name: string };

/** The value of a named context. Throws invalidArgument. */
export function parseNamedContext(name: string, value: string): NamedContext {
  const at = value.indexOf(':');
  if (at === -1) throw invalidArgument(`invalid context specifier ${value} for ${name}`);
  const scheme = value.slice(0, at);
  const rest = value.slice(at + 1);
  if (scheme.startsWith('git@') || scheme === 'git') return gitContext(value);
  switch (scheme) {
    case 'docker-image': {
      const reference = rest.replace(/^\/\//, '');
      if (reference === 'scratch') return { kind: 'scratch' };
      return { kind: 'image', reference: canonicalString(withDefaultTag(parseReference(reference))) };
    }
    case 'http':
    case 'https':
      return findGitSource(value) ? gitContext(value) : { kind: 'http', url: value };
    case 'oci-layout': {
      const [, store, digest] = /^(?:\/\/)?(.+?)(?::[\w.-]+)?@(\w+:[0-9a-fA-F]+)$/.exec(rest) ?? [];
      if (store === undefined || digest === undefined) {
        throw invalidArgument(`oci-layout reference ${JSON.stringify(rest)} has no digest`);
      }
      return { kind: 'layout', store, digest };
    }
    case 'local':
      return { kind: 'local', name: rest };
    case 'input':
      return { kind: 'input', name: rest };
    default:
      throw invalidArgument(`unsupported context source ${scheme} for ${name}`);
  }
}

function gitContext(value: string): NamedContext {
  const source = findGitSource(value);
  if (!source) throw invalidArgument(`invalid git context ${value}`);
  return { kind: 'git', source };
}

/** `busybox` for `docker.io/library/busybox:latest`: the names under which contexts are given. */
function contextName(name: string): string {
  try {
    return familiarString(parseReference(name)).replace(/:latest$/, '');
  } catch {
    return name;
  }
}

/** The context given for a stage or an image: for one platform (`name::linux/arm64`) before any. */
export function findNamedContext(
  contexts: Readonly<Record<string, string>>,
  name: string,
  platform: Platform,
): NamedContext | undefined {
  if (['scratch', 'context'].includes(name.toLowerCase())) return undefined;
  const key = contextName(name);
  for (const candidate of [`${key}::${formatPlatform(platform)}`, key]) {
    const value = Object.hasOwn(contexts, candidate) ? contexts[candidate] : undefined;
    if (value !== undefined) return parseNamedContext(candidate, value);
  }
  return undefined;
}
