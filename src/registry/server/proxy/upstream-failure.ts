import { EngineError, messageOf } from '#kernel';
import { RegistryFailure } from '#registry/client';
import { RegistryError } from '../registry-error.ts';

const refusals: readonly string[] = ['notFound', 'unauthenticated', 'permissionDenied', 'invalidArgument'];

/** Whether the upstream answered, and the answer is no; anything else may be well in a while. */
export const isRefusal = (error: unknown): error is EngineError =>
  error instanceof EngineError && refusals.includes(error.kind);

/** What a client is told when its upstream did not give what it asked for. */
export function upstreamError(error: unknown, registry: string): unknown {
  if (error instanceof RegistryError || !(error instanceof EngineError)) return error;
  const message = `${registry}: ${messageOf(error)}`;
  switch (error.kind) {
    case 'notFound':
    case 'invalidArgument':
      return new RegistryError(404, 'MANIFEST_UNKNOWN', message);
    case 'unauthenticated':
    case 'permissionDenied':
      return new RegistryError(403, 'DENIED', message);
    case 'unavailable': {
      const wait = error instanceof RegistryFailure ? error.retryAfter : undefined;
      const headers = { ...(wait !== undefined && { 'Retry-After': Math.ceil(wait / 1000) }) };
      return new RegistryError(429, 'TOOMANYREQUESTS', message, { headers });
    }
    default:
      return new RegistryError(503, 'UNAVAILABLE', message);
  }
}
