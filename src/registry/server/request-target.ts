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

/** What follows `/v2/`: a repository's name may itself have components such as `blobs`, so the longest name counts. */
const forms: readonly (readonly [RegExp, (repository: string, last: string) => Target])[] = [
  [/^(.+)\/tags\/list$/, (repository) => ({ kind: 'tags', repository })],
  [/^(.+)\/manifests\/([^/]+)$/, (repository, reference) => ({ kind: 'manifest', repository, reference })],
  [/^(.+)\/referrers\/([^/]+)$/, (repository, digest) => ({ kind: 'referrers', repository, digest })],
  [/^(.+)\/blobs\/uploads\/?$/, (repository) => ({ kind: 'uploads', repository })],
  [/^(.+)\/blobs\/uploads\/([\w.=-]+)$/, (repository, id) => ({ kind: 'upload', repository, id })],
  [/^(.+)\/blobs\/([^/]+)$/, (repository, digest) => ({ kind: 'blob', repository, digest })],
];

/** undefined: nothing of the API. Throws NAME_INVALID. */
export function parseTarget(path: string): Target | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  if (!path.startsWith('/v2/')) return undefined;
  for (const [form, make] of forms) {
    const [, name, last = ''] = form.exec(path.slice('/v2/'.length)) ?? [];
    if (name !== undefined) return make(checkRepositoryName(name), last);
  }
  return undefined;
}
