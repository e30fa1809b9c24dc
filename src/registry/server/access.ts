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

/** What a token allows, as its service wrote it (distribution's token specification, "access"). */
export interface Grant {
  /** `repository`, `registry`. */
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface TokenBearer {
  readonly user: User;
  readonly grants: readonly Grant[];
}

/** An outside service that gives tokens; what they allow is written in them. */
export interface TokenService {
  readonly realm: string;
  readonly service: string;
  /** undefined: not one of its tokens, or not good any more. */
  verify(token: string): Promise<TokenBearer | undefined>;
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
  /** Of an outside service's token; the rules do not count then. */
  readonly grants?: readonly Grant[] | undefined;
}

/**
 * Decides on requests: without an authenticator everybody may do everything. Clients are asked for a token, which they
 * get at /token for a password, or for nothing with the rights of `anonymous` (distribution's token specification);
 * a password will do as well. With an outside service they are sent there instead.
 */
export class AccessControl {
  #authenticator: Authenticator | undefined;
  #rules: readonly AccessRule[];
  readonly #tokens: AccessTokens;
  readonly #service: TokenService | undefined;

  constructor(
    clock: Clock,
    authenticator: Authenticator | undefined,
    rules: readonly AccessRule[] = loggedIn,
    service?: TokenService,
  ) {
    this.#service = service;
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
    if (this.isOpen || authorization === undefined) return { user: undefined, unknown: true };
    const [, token] = /^bearer\s+(\S+)\s*$/i.exec(authorization) ?? [];
    if (token !== undefined) {
      const bearer = this.#tokens.find(token) ?? (await this.#service?.verify(token));
      if (!bearer) throw unauthorized(this.#challenge(request, undefined, 'invalid_token'));
      return { ...bearer, unknown: false };
    }
    const user = await this.#authenticator?.authenticate(authorization);
    if (user === undefined) throw unauthorized(this.#challenge(request));
    return { user, unknown: false };
  }

  /** Whether everybody may do everything. */
  get isOpen(): boolean {
    return !this.#authenticator && !this.#service;
  }

  /** Where no repository is asked for, as in GET /v2/, from which clients learn how to ask. Throws UNAUTHORIZED. */
  requireKnown(request: IncomingMessage, { unknown }: Caller, scope?: string): void {
    if (!this.isOpen && unknown) throw unauthorized(this.#challenge(request, scope));
  }

  may({ user, grants }: Caller, action: Action, repository: string): boolean {
    if (this.isOpen) return true;
    if (grants) return allows(grants, 'repository', repository, action);
    const rule = this.#rules.find(
      ({ repositories, users }) =>
        users.some((name) => isUser(name, user)) && repositories.some(matches(repository)),
    );
    return rule?.actions.includes(action) ?? false;
  }

  /** Whether a repository stands in the catalog for somebody. */
  maySee(caller: Caller, repository: string): boolean {
    if (caller.grants && allows(caller.grants, 'registry', 'catalog', '*')) return true;
    return this.may(caller, 'pull', repository);
  }

  /** Throws UNAUTHORIZED where logging in may help, DENIED where it does not. */
  check(request: IncomingMessage, caller: Caller, action: Action, repository: string): void {
    if (this.may(caller, action, repository)) return;
    const wanted = action === 'push' ? 'pull,push' : action;
    const scope = `repository:${repository}:${wanted}`;
    // Another token may allow more.
    if (caller.grants) throw unauthorized(this.#challenge(request, scope, 'insufficient_scope'));
    if (caller.user !== undefined) {
      throw new RegistryError(403, 'DENIED', `user ${caller.user} may not ${action} ${repository}`);
    }
    throw unauthorized(this.#challenge(request, scope));
  }

  /** RFC 6750, section 3: where to get a token, and why the one that was shown did not do. */
  #challenge(request: IncomingMessage, scope?: string, error?: string): string {
    const { host = 'localhost' } = request.headers;
    const { realm, service } = this.#service ?? { realm: `${originOf(request)}/token`, service: host };
    const fields = {
      realm,
      service,
      ...(scope !== undefined && { scope }),
      ...(error !== undefined && { error }),
    };
    return `Bearer ${Object.entries(fields)
      .map(([name, value]) => `${name}="${value}"`)
      .join(',')}`;
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

const allows = (grants: readonly Grant[], type: string, name: string, action: string): boolean =>
  grants.some(
    (grant) =>
      grant.type === type &&
      grant.name === name &&
      (grant.actions.includes(action) || grant.actions.includes('*')),
  );

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
    compile(pattern).test(text);

/** Patterns come from configuration: they are few, and each is asked for with every request. */
const compiled = new Map<string, RegExp>();

function compile(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known) return known;
  const expression = new RegExp(`^${pattern.split('**').map(oneLevel).join('.*')}$`);
  if (compiled.size >= 10_000) compiled.clear();
  compiled.set(pattern, expression);
  return expression;
}

const oneLevel = (text: string): string =>
  text
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]*');
