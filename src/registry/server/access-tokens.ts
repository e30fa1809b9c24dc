import { randomBytes } from 'node:crypto';
import type { Clock } from '#kernel';

/** Who asks; undefined: nobody in particular. */
export type User = string | undefined;

/** Seconds for which a token is good. */
export const tokenLifetime = 300;
const limit = 100_000;

interface Session {
  readonly user: User;
  /** Nanoseconds since the epoch. */
  readonly until: bigint;
}

/**
 * Bearer tokens (RFC 6750) that this registry gives to those who ask with a password, or without one: opaque, kept in
 * memory. Rights are not written into them, but looked up with each request.
 */
export class AccessTokens {
  readonly #sessions = new Map<string, Session>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(user: User): string {
    this.#forgetOld();
    const token = randomBytes(32).toString('base64url');
    this.#sessions.set(token, { user, until: this.#clock.now() + BigInt(tokenLifetime) * 1_000_000_000n });
    return token;
  }

  /** undefined: no such token, or none any more. */
  find(token: string): { readonly user: User } | undefined {
    const session = this.#sessions.get(token);
    return session && session.until > this.#clock.now() ? session : undefined;
  }

  /** The oldest stand first. */
  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [token, { until }] of this.#sessions) {
      if (until > now && this.#sessions.size < limit) return;
      this.#sessions.delete(token);
    }
  }
}
