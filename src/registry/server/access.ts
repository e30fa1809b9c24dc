import type { IncomingMessage } from 'node:http';
import type { Clock } from '#kernel';
import { AccessTokens, tokenLifetime, type User } from './access-tokens.ts';
import { json, type Answer } from './answer.ts';
import { RegistryError } from './registry-error.ts';
import { originOf } from './request-origin.ts';

export type Action = 'pull' | 'push' | 'delete';

/** Finds out who asks. */
export interface Authenticator {
  /** The user of an Authorization header of the kind Basic; undefined: wrong credentials. */
  authenticate(authorization: string): Promise<string | undefined>;
}

/** Who may do what where. The first rule that fits the repository and the user decides. */
export interface AccessRule {
  /** Names, or patterns: `*` is one component's text, `**` any. */
  readonly repositories: readonly string[];
  /** Names; `*` is everybody who has logged in, `anonymous` whoever has not. */
  readonly users: readonly string[];
  readonly actions: readonly Action[];
}

const loggedIn: readonly AccessRule[] = [
  { repositories: ['**'], users: ['*'], actions: ['pull', 'push', 'delete'] },
];

/** A request's sender. */
export interface Caller {
  readonly user: User;
  /** Nothing was presented, neither a password nor a token. */
  readonly unknown: boolean;
}

/**
 * Decides on requests: without an authenticator everybody may do everything. Clients are asked for a token, which they
 * get at /token for a password, or for nothing with the rights of `anonymous` (distribution's token specification);
 * a password will do as well.
 */
export class AccessControl {
  #authenticator: Authenticator | undefined;
  #rules: readonly AccessRule[];
  readonly #tokens: AccessTokens;

  constructor(
    clock: Clock,
    authenticator: Authenticator | undefined,
    rules: readonly AccessRule[] = loggedIn,
  ) {
    this.#authenticator = authenticator;
    this.#rules = rules;
    this.#tokens = new AccessTokens(clock);
  }

  /** Other users and rules, from the next request on. */
  configure(authenticator: Authenticator | undefined, rules: readonly AccessRule[] = loggedIn): void {
    this.#authenticator = authenticator;
    this.#rules = rules;
  }

  /** Whether who logs in may do more than who does not. */
  get hasUsers(): boolean {
    return this.#authenticator !== undefined;
  }

  /** Whether somebody is who they say. */
  async knows(user: string, password: string): Promise<boolean> {
    const credentials = Buffer.from(`${user}:${password}`).toString('base64');
    return (await this.#authenticator?.authenticate(`Basic ${credentials}`)) === user;
  }

  /** Throws UNAUTHORIZED for wrong credentials. */
  async identify(request: IncomingMessage): Promise<Caller> {
    const { authorization } = request.headers;
    if (!this.#authenticator || authorization === undefined) return { user: undefined, unknown: true };
    const [, token] = /^bearer\s+(\S+)\s*$/i.exec(authorization) ?? [];
    const found =
      token === undefined
        ? { user: await this.#authenticator.authenticate(authorization) }
        : this.#tokens.find(token);
    if (!found || (token === undefined && found.user === undefined)) throw unauthorized(challenge(request));
    return { user: found.user, unknown: false };
  }

  /** Where no repository is asked for, as in GET /v2/, from which clients learn how to ask. Throws UNAUTHORIZED. */
  requireKnown(request: IncomingMessage, { unknown }: Caller): void {
    if (this.#authenticator && unknown) throw unauthorized(challenge(request));
  }

  may({ user }: Caller, action: Action, repository: string): boolean {
    if (!this.#authenticator) return true;
    const rule = this.#rules.find(
      ({ repositories, users }) =>
        users.some((name) => isUser(name, user)) && repositories.some(matches(repository)),
    );
    return rule?.actions.includes(action) ?? false;
  }

  /** Throws UNAUTHORIZED where logging in may help, DENIED where it does not. */
  check(request: IncomingMessage, caller: Caller, action: Action, repository: string): void {
    if (this.may(caller, action, repository)) return;
    if (caller.user !== undefined) {
      throw new RegistryError(403, 'DENIED', `user ${caller.user} may not ${action} ${repository}`);
    }
    const wanted = action === 'push' ? 'pull,push' : action;
    throw unauthorized(challenge(request, `repository:${repository}:${wanted}`));
  }

  /** GET /token. Throws UNAUTHORIZED for wrong credentials. */
  async token(request: IncomingMessage): Promise<Answer> {
    const { authorization } = request.headers;
    const user =
      authorization === undefined ? undefined : await this.#authenticator?.authenticate(authorization);
    if (authorization !== undefined && user === undefined) {
      throw unauthorized('Basic realm="Wharf registry", charset="UTF-8"');
    }
    const token = this.#tokens.issue(user);
    return json({
      token,
      access_token: token,
      expires_in: tokenLifetime,
      issued_at: new Date().toISOString(),
    });
  }
}

function challenge(request: IncomingMessage, scope?: string): string {
  const { host = 'localhost' } = request.headers;
  const fields = [`realm="${originOf(request)}/token"`, `service="${host}"`];
  return `Bearer ${[...fields, ...(scope === undefined ? [] : [`scope="${scope}"`])].join(',')}`;
}

const unauthorized = (wwwAuthenticate: string): RegistryError =>
  new RegistryError(401, 'UNAUTHORIZED', 'authentication required', {
    headers: { 'WWW-Authenticate': wwwAuthenticate },
  });

const isUser = (name: string, user: User): boolean =>
  user === undefined ? name === 'anonymous' : name === '*' || name === user;

/** Whether a text fits a pattern of repository names. */
export const matches =
  (text: string) =>
  (pattern: string): boolean =>
    new RegExp(`^${pattern.split('**').map(oneLevel).join('.*')}$`).test(text);

const oneLevel = (text: string): string =>
  text
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]*');
