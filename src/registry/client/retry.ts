import { setTimeout as delay } from 'node:timers/promises';
import { RegistryFailure } from './registry-failure.ts';

export interface RetryOptions {
  readonly attempts: number;
  /** Milliseconds before the second attempt; doubled for each further one. */
  readonly firstDelay: number;
  /** Milliseconds; a registry that asks for a longer wait is told of at once. */
  readonly longestDelay: number;
}

/** Milliseconds to wait before attempt `attempt` (2 and up), or undefined to give up. */
export function delayBefore(attempt: number, error: unknown, options: RetryOptions): number | undefined {
  if (!(error instanceof RegistryFailure) || !error.isRetryable || attempt > options.attempts)
    return undefined;
  const { retryAfter } = error;
  if (retryAfter !== undefined) return retryAfter <= options.longestDelay ? retryAfter : undefined;
  const backOff = options.firstDelay * 2 ** (attempt - 2);
  // Spread, so that many clients of a registry that came back do not knock together.
  return Math.min(options.longestDelay, backOff * (0.75 + Math.random() / 2));
}

/** Runs the task until it succeeds, fails for good, or the attempts are used up. */
export async function retrying<T>(
  task: (attempt: number) => Promise<T>,
  options: RetryOptions & { readonly signal: AbortSignal },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await task(attempt);
    } catch (error) {
      options.signal.throwIfAborted();
      const wait = delayBefore(attempt + 1, error, options);
      if (wait === undefined) throw error;
      await sleep(wait, options.signal);
    }
  }
}

export async function sleep(millis: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(millis, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
