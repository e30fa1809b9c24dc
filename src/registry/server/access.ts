import { RegistryError } from './registry-error.ts';

export type Action = 'pull' | 'push' | 'delete';

/** Who asks; undefined: nobody in particular. */
export type User = string | undefined;

/** Finds out who asks. */
export interface Authenticator {
  /** The value of WWW-Authenticate. */
  readonly challenge: string;
  /** Of an Authorization header; undefined: its credentials are wrong. */
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

/** Decides on requests: without an authenticator everybody may do everything. */
export class AccessControl {
  readonly #authenticator: Authenticator | undefined;
  readonly #rules: readonly AccessRule[];

  constructor(authenticator?: Authenticator, rules: readonly AccessRule[] = loggedIn) {
    this.#authenticator = authenticator;
    this.#rules = rules;
  }

  /** Throws UNAUTHORIZED for wrong credentials. */
  async userOf(authorization: string | undefined): Promise<User> {
    if (!this.#authenticator || authorization === undefined) return undefined;
    const user = await this.#authenticator.authenticate(authorization);
    if (user === undefined) throw this.#unauthorized();
    return user;
  }

  /** Whether somebody must be logged in to be told that this is a registry (GET /v2/). */
  require(user: User): void {
    const anybody = this.#rules.some(({ users }) => users.includes('anonymous'));
    if (this.#authenticator && user === undefined && !anybody) throw this.#unauthorized();
  }

  may(user: User, action: Action, repository: string): boolean {
    if (!this.#authenticator) return true;
    const rule = this.#rules.find(
      ({ repositories, users }) =>
        users.some((name) => isUser(name, user)) && repositories.some(matches(repository)),
    );
    return rule?.actions.includes(action) ?? false;
  }

  /** Throws UNAUTHORIZED where logging in may help, DENIED where it does not. */
  check(user: User, action: Action, repository: string): void {
    if (this.may(user, action, repository)) return;
    if (user === undefined) throw this.#unauthorized();
    throw new RegistryError(403, 'DENIED', `user ${user} may not ${action} ${repository}`);
  }

  #unauthorized(): RegistryError {
    return new RegistryError(401, 'UNAUTHORIZED', 'authentication required', {
      headers: { 'WWW-Authenticate': this.#authenticator?.challenge ?? '' },
    });
  }
}

const isUser = (name: string, user: User): boolean =>
  user === undefined ? name === 'anonymous' : name === '*' || name === user;

/** Whether a repository fits a pattern of names. */
export const matches =
  (repository: string) =>
  (pattern: string): boolean =>
    new RegExp(`^${pattern.split('**').map(oneLevel).join('.*')}$`).test(repository);

const oneLevel = (text: string): string =>
  text
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]*');
