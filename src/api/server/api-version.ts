import { EngineError } from '#kernel';

/** An API version as a number that compares rightly: 1.9 is 1009, 1.51 is 1051. */
export type ApiVersion = number & { readonly __brand: 'ApiVersion' };

/** `major.minor`; further components are ignored. */
export function apiVersion(text: string): ApiVersion {
  const [major = '0', minor = '0'] = text.split('.');
  // The brand marks numbers made here.
  return (Number(major || 0) * 1000 + Number(minor || 0)) as ApiVersion;
}

/** The oldest version that is served. */
export const minApiVersion = '1.24';

const prefix = /^\/v([0-9.]+)(\/.*)$/;

/** Splits `/v1.45/info` into version and path; without the prefix the version is undefined. */
export function splitVersion(path: string): { readonly version: string | undefined; readonly path: string } {
  // Nearly every request has neither: decide without the expression.
  if (path.charCodeAt(1) !== 0x76) return { version: undefined, path };
  const match = prefix.exec(path);
  return match?.[2] === undefined ? { version: undefined, path } : { version: match[1], path: match[2] };
}

/** Have not changed since 1.12: skopeo up to 1.13 asks for them in 1.22, and for nothing else. */
const unchanged: ReadonlySet<string> = new Set(['ImageLoad', 'ImageGet', 'ImageGetAll']);
const unchangedSince = '1.12';

/** The version in which an operation is answered. Throws invalidArgument for versions that are not served. */
export function checkVersion(version: string, newest: string, operation: string): ApiVersion {
  const asked = apiVersion(version);
  const oldest = apiVersion(minApiVersion);
  if (asked < oldest && asked >= apiVersion(unchangedSince) && unchanged.has(operation)) return oldest;
  if (asked < oldest) throw new UnsupportedVersion(version, 'old', minApiVersion);
  if (asked > apiVersion(newest)) throw new UnsupportedVersion(version, 'new', newest);
  return asked;
}

/** Told in plain text to clients from before 1.24, which know no JSON errors. */
export class UnsupportedVersion extends EngineError {
  readonly plainText: boolean;

  constructor(version: string, age: 'old' | 'new', bound: string) {
    super(
      'invalidArgument',
      age === 'old'
        ? `client version ${version} is too old. Minimum supported API version is ${bound}, please upgrade your client to a newer version`
        : `client version ${version} is too new. Maximum supported API version is ${bound}`,
    );
    this.plainText = age === 'old';
  }
}
