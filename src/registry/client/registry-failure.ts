import { EngineError, type ErrorKind } from '#kernel';
import { familiarName, familiarString, type Reference } from '#oci';

/** What a registry, or the way to it, answered instead of what was asked for. */
export class RegistryFailure extends EngineError {
  /** The registry's own code (`MANIFEST_UNKNOWN`), or '' (distribution-spec, error codes). */
  readonly code: string;
  readonly isRetryable: boolean;
  /** Of the answer; undefined where there was none. */
  readonly status: number | undefined;
  /** Milliseconds that the registry asked us to wait. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    options: {
      code?: string;
      status?: number | undefined;
      isRetryable?: boolean;
      retryAfter?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(kind, message, { cause: options.cause });
    this.code = options.code ?? '';
    this.status = options.status;
    this.isRetryable = options.isRetryable ?? false;
    this.retryAfter = options.retryAfter;
  }
}

/** The same failure with words in front, or of another kind. */
export function refail(failure: RegistryFailure, message: string, kind = failure.kind): RegistryFailure {
  const { code, status, isRetryable, retryAfter } = failure;
  return new RegistryFailure(kind, message, { code, status, isRetryable, retryAfter, cause: failure });
}

/** A pull's failure as Docker tells it: a missing repository and a forbidden one look alike. */
export function pullFailure(error: unknown, reference: Reference): unknown {
  if (!(error instanceof RegistryFailure)) return error;
  switch (error.code) {
    case 'DENIED':
      return refail(
        error,
        `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${error.message}`,
        'notFound',
      );
    case 'MANIFEST_UNKNOWN':
      return refail(
        error,
        `manifest for ${familiarString(reference)} not found: ${error.message}`,
        'notFound',
      );
    case 'NAME_UNKNOWN':
      return refail(error, `repository ${familiarName(reference)} not found: ${error.message}`, 'notFound');
    default:
      return error;
  }
}
