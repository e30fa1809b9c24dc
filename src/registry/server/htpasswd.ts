import { createHash } from 'node:crypto';
import { compare } from 'bcryptjs';
import { invalidArgument } from '#kernel';
import type { Authenticator } from './access.ts';

const remembered = 1000;

/** Compared where there is no such user, so that names cannot be told from the time an answer takes. */
const nobody = '$2b$10$abcdefghijklmnopqrstuuJb3ZbDkZVkkKSqkhOvXQ3YJfMaGmuyW';

/** `user:hash` lines as `htpasswd -B` writes them. Throws invalidArgument for other hashes than bcrypt. */
export function parseHtpasswd(content: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of content.split('\n').entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const colon = entry.indexOf(':');
    const hash = entry.slice(colon + 1);
    if (colon < 1 || !/^\$2[aby]\$\d\d\$/.test(hash)) {
      throw invalidArgument(`htpasswd line ${index + 1}: only bcrypt is taken (htpasswd -B)`);
    }
    users.set(entry.slice(0, colon), hash);
  }
  return users;
}

/** Basic authentication (RFC 7617) against bcrypt hashes; what was right once is not computed again. */
export class HtpasswdAuthenticator implements Authenticator {
  readonly #users: ReadonlyMap<string, string>;
  readonly #known = new Set<string>();

  constructor(users: ReadonlyMap<string, string>) {
    this.#users = users;
  }

  async authenticate(authorization: string): Promise<string | undefined> {
    const [, encoded] = /^basic\s+(\S+)\s*$/i.exec(authorization) ?? [];
    if (encoded === undefined) return undefined;
    const text = Buffer.from(encoded, 'base64').toString();
    const colon = text.indexOf(':');
    if (colon < 1) return undefined;
    const user = text.slice(0, colon);
    const hash = this.#users.get(user);
    const key = createHash('sha256')
      .update(`${text}\0${hash ?? ''}`)
      .digest('base64');
    if (hash !== undefined && this.#known.has(key)) return user;
    const right = await compare(text.slice(colon + 1), hash ?? nobody);
    if (!right || hash === undefined) return undefined;
    if (this.#known.size >= remembered) this.#known.clear();
    this.#known.add(key);
    return user;
  }
}
