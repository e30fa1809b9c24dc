import { isKind } from '#kernel';
import { RegistryFailure } from '#registry/client';

/** Milliseconds; a registry that wants to be left alone for longer is not asked again by itself. */
const patience = 60_000;

/** A transfer that ended before its time. */
export class CutShort extends Error {
  override readonly name = 'CutShort';
}

/** Whether the same request may succeed a moment later: the network failed, not the answer. */
export function isInterruption(error: unknown): boolean {
  if (error instanceof RegistryFailure) return error.isRetryable && (error.retryAfter ?? 0) <= patience;
  if (error instanceof CutShort || isKind(error, 'unavailable')) return true;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return (
    typeof code === 'string' && (code.startsWith('UND_ERR') || /^E(CONN|PIPE|TIMEDOUT|AI_AGAIN)/.test(code))
  );
}
