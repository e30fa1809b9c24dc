import type { IncomingMessage, ServerResponse } from 'node:http';
import { isKind, messageOf, type Logger } from '#kernel';
import { bodyOf, type Answer } from './answer.ts';
import {
  apiVersion,
  checkVersion,
  splitVersion,
  UnsupportedVersion,
  type ApiVersion,
} from './api-version.ts';
import { Exchange, type Connection } from './exchange.ts';
import { Query } from './query.ts';
import type { Match, Routes } from './route.ts';
import { statusOf } from './status.ts';
import { lowerAnswer } from './versions/index.ts';

export interface DispatchOptions {
  readonly routes: Routes;
  /** The newest version offered. */
  readonly maxApiVersion: string;
  /** As shown in the header Server. */
  readonly engineVersion: string;
  readonly experimental: boolean;
  readonly logger: Logger;
}

/** A request as the router sees it. */
interface Target {
  readonly version: string | undefined;
  readonly path: string;
  readonly query: string;
}

/** Splits a request target; undefined when its escapes are broken. */
function parseTarget(url: string): Target | undefined {
  const mark = url.indexOf('?');
  const raw = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  try {
    return { ...splitVersion(raw.includes('%') ? decodeURIComponent(raw) : raw), query };
  } catch {
    return undefined;
  }
}

/** Runs requests: finds the route, checks the version, calls the handler, writes what it answers or why it failed. */
export class Dispatcher {
  readonly #options: DispatchOptions;
  readonly #headers: Headers;
  readonly #newest: ApiVersion;

  constructor(options: DispatchOptions) {
    this.#options = options;
    this.#newest = apiVersion(options.maxApiVersion);
    this.#headers = new Headers([
      ['Api-Version', options.maxApiVersion],
      ['Docker-Experimental', String(options.experimental)],
      ['Ostype', 'linux'],
      ['Server', `Docker/${options.engineVersion} (linux)`],
    ]);
  }

  /** Whether a request may take over its connection. */
  hijacks(request: IncomingMessage): boolean {
    // Everything that hijacks is a POST or asks for an upgrade: spares other requests a look-up.
    if (request.method !== 'POST' && request.headers.upgrade === undefined) return false;
    return this.#match(request)?.match.route.hijacks ?? false;
  }

  /** Never rejects. */
  async run(request: IncomingMessage, response: ServerResponse, connection?: Connection): Promise<void> {
    try {
      const answer = await this.#answer(request, response, connection);
      if (answer) writeAnswer(response, answer);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    connection: Connection | undefined,
  ): Promise<Answer | undefined> {
    if (request.method === 'OPTIONS') {
      response.setHeaders(this.#headers);
      return { status: 200 };
    }
    const found = this.#match(request);
    if (!found) return { status: 404, json: { message: 'page not found' } };
    response.setHeaders(this.#headers);
    const { target, match } = found;
    const { operation } = match.route;
    const version =
      target.version === undefined
        ? this.#newest
        : checkVersion(target.version, this.#options.maxApiVersion, operation);
    const query = new Query(target.query);
    const exchange = new Exchange({
      request,
      response,
      operation,
      version,
      params: match.params,
      query,
      connection,
    });
    const answer = await match.route.handle(exchange);
    return answer && lowerAnswer(operation, version, answer);
  }

  #match(request: IncomingMessage): { target: Target; match: Match } | undefined {
    const target = parseTarget(request.url ?? '/');
    const match = target && this.#options.routes.match(request.method ?? 'GET', target.path);
    return match && { target, match };
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const status = statusOf(error);
    const { logger } = this.#options;
    const facts = { method: request.method, url: request.url, status };
    // What users did wrong needs no stack.
    if (status !== 500 || request.destroyed)
      logger.debug({ ...facts, error: messageOf(error) }, 'request failed');
    else logger.error({ ...facts, err: error }, 'request failed');
    if (response.headersSent || response.destroyed) {
      // Too late for a status: the missing end tells the client.
      response.destroy();
      return;
    }
    response.removeHeader('Content-Type');
    writeAnswer(response, errorAnswer(error, status));
  }
}

function errorAnswer(error: unknown, status: number): Answer {
  if (isKind(error, 'notModified')) return { status };
  if (error instanceof UnsupportedVersion && error.plainText) {
    const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
    return { status, headers, text: `${error.message}\n` };
  }
  return { status, json: { message: messageOf(error) } };
}

/** Writes a whole answer. Node reads and drops what the client still sends of its body. */
function writeAnswer(response: ServerResponse, answer: Answer): void {
  const text = bodyOf(answer);
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (text === undefined) {
    if (answer.status !== 204 && answer.status !== 304) response.setHeader('Content-Length', 0);
    response.end();
    return;
  }
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  // As text it leaves in one write together with the headers.
  response.end(text);
}
