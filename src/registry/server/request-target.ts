import { nameInvalid } from './registry-error.ts';

/** What a request is about: a path of distribution-spec spec.md#endpoints taken apart. */
export type Target =
  | { readonly kind: 'base' | 'catalog' }
  | { readonly kind: 'tags' | 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'blob' | 'referrers'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string };

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const repositoryName = new RegExp(`^${component}(?:/${component})*$`);
const nameLimit = 255;

/** Throws NAME_INVALID. */
export function checkRepositoryName(name: string): string {
  if (name.length > nameLimit || !repositoryName.test(name)) throw nameInvalid(name);
  return name;
}

/** undefined: nothing of the API. Throws NAME_INVALID. */
export function parseTarget(path: string): Target | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const [, name, noun = '', rest = ''] =
    /^\/v2\/(.+?)\/(blobs|manifests|referrers|tags)\/(?!.*\/(?:manifests|referrers|tags)\/)(.*)$/.exec(
      path,
    ) ?? [];
  if (name === undefined) return undefined;
  const target = about(name, noun, rest);
  if (target) checkRepositoryName(name);
  return target;
}

function about(repository: string, noun: string, rest: string): Target | undefined {
  if (noun === 'tags') return rest === 'list' ? { kind: 'tags', repository } : undefined;
  if (noun === 'blobs' && /^uploads\/?$/.test(rest)) return { kind: 'uploads', repository };
  const [, id] = (noun === 'blobs' ? /^uploads\/([\w.=-]+)$/.exec(rest) : null) ?? [];
  if (id !== undefined) return { kind: 'upload', repository, id };
  if (rest === '' || rest.includes('/')) return undefined;
  if (noun === 'manifests') return { kind: 'manifest', repository, reference: rest };
  return { kind: noun === 'blobs' ? 'blob' : 'referrers', repository, digest: rest };
}
