import type { OutgoingHttpHeaders } from 'node:http';

/** Codes of distribution-spec spec.md#error-codes. */
type ErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'UNAVAILABLE'
  | 'PAGINATION_NUMBER_INVALID';

/** An answer that is an error: HTTP status, the specification's code, and a message for a person. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: unknown;
  readonly headers: OutgoingHttpHeaders;

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    more: { readonly detail?: unknown; readonly headers?: OutgoingHttpHeaders } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.detail = more.detail;
    this.headers = more.headers ?? {};
  }
}

export const blobUnknown = (digest: string): RegistryError =>
  new RegistryError(404, 'BLOB_UNKNOWN', 'blob unknown to registry', { detail: digest });
export const uploadUnknown = (id: string): RegistryError =>
  new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', { detail: id });
export const uploadInvalid = (message: string): RegistryError =>
  new RegistryError(400, 'BLOB_UPLOAD_INVALID', message);
export const digestInvalid = (message: string): RegistryError =>
  new RegistryError(400, 'DIGEST_INVALID', message);
export const manifestUnknown = (reference: string): RegistryError =>
  new RegistryError(404, 'MANIFEST_UNKNOWN', 'manifest unknown', { detail: reference });
export const manifestInvalid = (message: string): RegistryError =>
  new RegistryError(400, 'MANIFEST_INVALID', message);
export const manifestBlobUnknown = (digest: string): RegistryError =>
  new RegistryError(404, 'MANIFEST_BLOB_UNKNOWN', 'manifest references a blob unknown to registry', {
    detail: { digest },
  });
export const nameInvalid = (name: string): RegistryError =>
  new RegistryError(400, 'NAME_INVALID', 'invalid repository name', { detail: name });
export const nameUnknown = (name: string): RegistryError =>
  new RegistryError(404, 'NAME_UNKNOWN', 'repository name not known to registry', { detail: name });
export const unsupported = (message: string): RegistryError => new RegistryError(405, 'UNSUPPORTED', message);
export const denied = (message: string): RegistryError => new RegistryError(403, 'DENIED', message);
/** Not the client's fault, and not to be repeated at once. */
export const diskFull = (): RegistryError =>
  new RegistryError(507, 'UNAVAILABLE', "the registry's disk is full: remove images, or give it more room");
