import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '#kernel';

const cookie = 'wharf_registry';
/** Nanoseconds: a working day. */
const lifetime = 12n * 3_600_000_000_000n;
const most = 10_000;

/** Who has logged in with a browser, by a cookie; kept in memory. */
export class Sessions {
  readonly #users = new Map<string, { readonly user: string; readonly until: bigint }>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The Set-Cookie header of a new session. */
  begin(user: string, isSecure: boolean): string {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#users) {
      if (until > now && this.#users.size < most) break;
      this.#users.delete(key);
    }
    const key = randomBytes(32).toString('base64url');
    this.#users.set(key, { user, until: now + lifetime });
    return setCookie(key, isSecure);
  }

  user(request: IncomingMessage): string | undefined {
    const session = this.#users.get(keyOf(request));
    return session && session.until > this.#clock.now() ? session.user : undefined;
  }

  /** The Set-Cookie header that ends a session. */
  end(request: IncomingMessage, isSecure: boolean): string {
    this.#users.delete(keyOf(request));
    return `${setCookie('', isSecure)}; Max-Age=0`;
  }

  clear(): void {
    this.#users.clear();
  }
}

const setCookie = (value: string, isSecure: boolean): string =>
  `${cookie}=${value}; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;

const keyOf = ({ headers }: IncomingMessage): string =>
  (headers.cookie ?? '')
    .split(/; */)
    .find((entry) => entry.startsWith(`${cookie}=`))
    ?.slice(cookie.length + 1) ?? '';
