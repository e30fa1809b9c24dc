import { TrieRouter } from 'hono/router/trie-router';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/**
 * One operation of the API. The handler answers with a value, or writes the response itself and answers with
 * undefined. It knows the newest API version only.
 */
export interface Route {
  readonly method: Method;
  /** `/containers/:id{.+}/json`: names may hold slashes. */
  readonly path: string;
  /** operationId of the API's description; the version transforms are found by it. */
  readonly operation: string;
  /** Takes over the connection when it succeeds; such requests may ask for an upgrade. */
  readonly hijacks?: boolean;
  handle(exchange: Exchange): Answer | undefined | Promise<Answer | undefined>;
}

/** The group of paths `/<noun>/{name}/…` of one noun. */
export const named = (noun: string, rest = ''): string => `/${noun}/:name{.+}${rest}`;

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds routes by method and decoded path; of several that match the first one added wins. */
export class Routes {
  readonly #router = new TrieRouter<Route>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#router.add(route.method, route.path, route);
  }

  match(method: string, path: string): Match | undefined {
    const first = this.#router.match(method, path)[0][0];
    if (!first) return undefined;
    const [route, params] = first;
    // This router answers names with texts; indexes are those of others.
    return { route, params: params as Record<string, string> };
  }
}
