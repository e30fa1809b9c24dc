import { invalidArgument } from '#kernel';
import { isDigest, parseDigest } from './digest.ts';
import type { Digest } from './types.ts';

/** A repository of a registry, and what of it is meant. Always in canonical form: `docker.io` and `library/` written out. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000` */
  readonly domain: string;
  /** `library/busybox` */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const defaultDomain = 'docker.io';
const legacyDomain = 'index.docker.io';
const officialPrefix = 'library/';
const maxPathLength = 255;

// The grammar of distribution's reference package.
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const domainPattern = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const tagPattern = '[\\w][\\w.-]{0,127}';
const digestPattern = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const grammar = new RegExp(
  `^(?<domain>${domainPattern})/(?<path>${component}(?:/${component})*)(?::(?<tag>${tagPattern}))?(?:@(?<digest>${digestPattern}))?$`,
);
const wholeTag = new RegExp(`^${tagPattern}$`);
const wholeId = /^[a-f0-9]{64}$/;

/** The host part and the rest, with Docker's defaults filled in. */
function splitDomain(name: string): { domain: string; remainder: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  let domain = isHost ? first : defaultDomain;
  let remainder = isHost ? name.slice(slash + 1) : name;
  if (domain === legacyDomain) domain = defaultDomain;
  if (domain === defaultDomain && !remainder.includes('/')) remainder = officialPrefix + remainder;
  return { domain, remainder };
}

/**
 * A reference as people write it (`busybox`, `localhost:5000/a:1`, `x@sha256:…`), made canonical.
 * Throws invalidArgument in Docker's words.
 */
export function parseReference(text: string): Reference {
  if (wholeId.test(text)) {
    throw invalidArgument(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { domain, remainder } = splitDomain(text);
  const colon = remainder.indexOf(':');
  const remote = colon === -1 ? remainder : remainder.slice(0, colon);
  if (remote.toLowerCase() !== remote) {
    throw invalidArgument(`invalid reference format: repository name (${remote}) must be lowercase`);
  }
  const match = grammar.exec(`${domain}/${remainder}`)?.groups;
  const path = match?.path;
  if (!match || path === undefined) throw invalidArgument('invalid reference format');
  if (path.length > maxPathLength) {
    throw invalidArgument(`repository name must not be more than ${maxPathLength} characters`);
  }
  return {
    domain: match.domain ?? domain,
    path,
    ...(match.tag !== undefined && { tag: match.tag }),
    ...(match.digest !== undefined && { digest: parseDigest(match.digest) }),
  };
}

/**
 * An image as the API's clients name it: a whole id (64 hex digits, or a digest alone), or a reference. Id prefixes
 * look like references and are for the image store to try.
 */
export function parseImageName(
  text: string,
):
  | { readonly kind: 'id'; readonly id: Digest }
  | { readonly kind: 'reference'; readonly reference: Reference } {
  const id = findImageId(text);
  return id ? { kind: 'id', id } : { kind: 'reference', reference: parseReference(text) };
}

/** The id in `sha256:<64 hex>` or `<64 hex>`; undefined when the text is something else. */
export function findImageId(text: string): Digest | undefined {
  if (wholeId.test(text)) return parseDigest(`sha256:${text}`);
  return isDigest(text) ? text : undefined;
}

/** `docker.io/library/busybox` */
export const canonicalName = (reference: Reference): string => `${reference.domain}/${reference.path}`;

const suffix = ({ tag, digest }: Reference): string =>
  (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);

/** `docker.io/library/busybox:latest`, with whatever tag and digest it has. */
export const canonicalString = (reference: Reference): string => canonicalName(reference) + suffix(reference);

/** `busybox`: the shortest form that parses to the same repository. */
export function familiarName({ domain, path }: Reference): string {
  if (domain !== defaultDomain) return `${domain}/${path}`;
  const official = path.startsWith(officialPrefix) ? path.slice(officialPrefix.length) : path;
  return official.includes('/') ? path : official;
}

/** `busybox:latest`, `a/b@sha256:…` */
export const familiarString = (reference: Reference): string => familiarName(reference) + suffix(reference);

/** `latest` where neither tag nor digest is given. */
export const withDefaultTag = (reference: Reference): Reference =>
  reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;

/** The same repository with this tag only. Throws invalidArgument for a bad tag. */
export function withTag({ domain, path }: Reference, tag: string): Reference {
  if (!wholeTag.test(tag)) throw invalidArgument('invalid tag format');
  return { domain, path, tag };
}

/** The same repository with this digest only. */
export const withDigest = ({ domain, path }: Reference, digest: Digest): Reference => ({
  domain,
  path,
  digest,
});

/** The repository alone. */
export const trimmed = ({ domain, path }: Reference): Reference => ({ domain, path });

/** What a registry is asked for: the digest if there is one, else the tag, else `latest`. */
export const objectOf = ({ tag, digest }: Reference): string => digest ?? tag ?? 'latest';
