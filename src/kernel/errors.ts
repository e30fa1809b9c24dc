/** What went wrong, in the terms every layer shares; the API server maps a kind to an HTTP status once. */
export type ErrorKind =
  | 'invalidArgument'
  | 'unauthenticated'
  | 'permissionDenied'
  | 'notFound'
  | 'conflict'
  | 'notModified'
  | 'unavailable'
  | 'unimplemented'
  | 'internal';

/**
 * An error with an identity. `message` is written for a person: what happened, with which name, what to do.
 * Where clients match on the text, the constructor beside the noun uses Docker's wording.
 */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

export const invalidArgument = (message: string, cause?: unknown): EngineError =>
  new EngineError('invalidArgument', message, { cause });
export const permissionDenied = (message: string, cause?: unknown): EngineError =>
  new EngineError('permissionDenied', message, { cause });
export const notFound = (message: string, cause?: unknown): EngineError =>
  new EngineError('notFound', message, { cause });
export const conflict = (message: string, cause?: unknown): EngineError =>
  new EngineError('conflict', message, { cause });
export const unavailable = (message: string, cause?: unknown): EngineError =>
  new EngineError('unavailable', message, { cause });
export const unimplemented = (message: string, cause?: unknown): EngineError =>
  new EngineError('unimplemented', message, { cause });
export const internal = (message: string, cause?: unknown): EngineError =>
  new EngineError('internal', message, { cause });

/** What failed first, where undoing it failed as well: that is what a person can act on. */
const firstOf = (error: unknown): unknown =>
  error instanceof SuppressedError ? firstOf(error.suppressed) : error;

/** The kind of any thrown value; foreign errors are `internal`. */
export const kindOf = (error: unknown): ErrorKind => {
  const first = firstOf(error);
  return first instanceof EngineError ? first.kind : 'internal';
};

export const isKind = (error: unknown, kind: ErrorKind): boolean => {
  const first = firstOf(error);
  return first instanceof EngineError && first.kind === kind;
};

/** The message of any thrown value. */
export const messageOf = (error: unknown): string => {
  const first = firstOf(error);
  return first instanceof Error ? first.message : String(first);
};

/** The errno name (`ENOENT`) of a Node or system-call error, if it has one. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
