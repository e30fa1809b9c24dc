import { EngineError, errnoOf, messageOf } from '#kernel';
import type { ErrorKind } from '#kernel';
import type { Endpoint } from './endpoint.ts';
import { formatEndpoint } from './endpoint.ts';

/** An engine's answer of status 400 or above; the message carries Docker's prefix. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
  readonly status: number;
  /** What the engine said. */
  readonly reason: string;

  constructor(status: number, reason: string) {
    super(`Error response from daemon: ${reason}`);
    this.status = status;
    this.reason = reason;
  }
}

/** No engine could be reached. */
export class ConnectError extends EngineError {
  readonly code: string | undefined;

  constructor(endpoint: Endpoint, cause: unknown) {
    const code = errnoOf(cause);
    const kind: ErrorKind = code === 'EACCES' ? 'permissionDenied' : 'unavailable';
    super(kind, connectText(endpoint, code, cause), { cause });
    this.code = code;
  }

  /** Whether nothing listens there, so that starting an engine would help. */
  get isAbsent(): boolean {
    return this.code === 'ENOENT' || this.code === 'ECONNREFUSED';
  }
}

function connectText(endpoint: Endpoint, code: string | undefined, cause: unknown): string {
  const host = formatEndpoint(endpoint);
  if (code === 'EACCES' || code === 'EPERM') {
    return `permission denied while trying to connect to the Docker daemon socket at ${host}`;
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'FailedToOpenSocket') {
    return `Cannot connect to the Docker daemon at ${host}. Is the docker daemon running?`;
  }
  return `error during connect: ${messageOf(cause)}`;
}

export const isNotFound = (error: unknown): boolean => error instanceof ResponseError && error.status === 404;
