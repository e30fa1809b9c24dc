import { errnoOf, messageOf } from '#kernel';
import { dialBun, findBun } from './dial-bun.ts';
import type { Connection, Dial } from './connection.ts';
import type { Endpoint, SocketEndpoint } from './endpoint.ts';
import { ConnectError, ResponseError } from './errors.ts';
import type { HttpRequest, ResponseHead } from './http.ts';
import { BrokenExchange, HttpConnection } from './http.ts';
import { jsonLines } from './json-stream.ts';

/** The newest API version whose answers this client knows. */
export const clientVersion = '1.51';

export type QueryValue = string | number | boolean | readonly string[] | undefined;

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  /** Without version prefix; already percent-encoded where needed. */
  readonly path: string;
  /** undefined and false are left out, true becomes 1. */
  readonly query?: Readonly<Record<string, QueryValue>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it comes. */
  readonly stream?: AsyncIterable<Uint8Array>;
  readonly contentType?: string;
  /** A list is sent as one line for each of its values. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Aborting drops the connection. */
  readonly signal?: AbortSignal;
}

/** An answer of status below 400 whose body has not been read. */
export interface EngineAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** To be read to its end, or destroyed. */
  readonly body: AsyncGenerator<Uint8Array, void, undefined>;
  destroy(): void;
}

export interface EngineClientOptions {
  readonly endpoint: Endpoint;
  /** Fixes the API version; otherwise the newest that both sides know. */
  readonly version?: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly userAgent?: string;
  readonly dial?: Dial;
  /** Called when nothing listens; true: something does now, try again. */
  readonly onAbsent?: () => Promise<boolean>;
}

/**
 * Speaks the Engine API. It asks in its own newest version and steps down when the engine says so, which saves
 * the round trip of a ping; before a body that cannot be sent twice it pings.
 */
export class EngineClient {
  readonly endpoint: Endpoint;
  readonly #options: EngineClientOptions;
  #version: string;
  #negotiated: boolean;
  #idle: HttpConnection[] = [];

  constructor(options: EngineClientOptions) {
    this.endpoint = options.endpoint;
    this.#options = options;
    this.#version = options.version ?? clientVersion;
    this.#negotiated = options.version !== undefined;
  }

  /** The API version in use; certain after the first answer. */
  get version(): string {
    return this.#version;
  }

  /** Sends a request. Throws ResponseError for status 400 and above, ConnectError when no engine is there. */
  async send(request: EngineRequest): Promise<EngineAnswer> {
    const { http, head } = await this.#exchange(request, {});
    const { status, headers } = head;
    return { status, headers, body: this.#body(http, head, request), destroy: () => http.destroy() };
  }

  /** The decoded JSON of an answer; undefined when there is none. */
  async json<T>(request: EngineRequest): Promise<T> {
    const text = await this.text(request);
    // The wire's types are trusted here: the engine is the authority on them.
    return (text.trim() === '' ? undefined : JSON.parse(text)) as T;
  }

  async text(request: EngineRequest): Promise<string> {
    return readText((await this.send(request)).body);
  }

  /** Sends a request of whose answer only the success matters. */
  async done(request: EngineRequest): Promise<void> {
    await this.text(request);
  }

  /** The objects of a progress or event stream. Leaving the loop early drops the connection. */
  async *objects<T>(request: EngineRequest): AsyncGenerator<T, void, undefined> {
    const answer = await this.send(request);
    // As in json(): the engine is trusted.
    for await (const value of jsonLines(answer.body)) yield value as T;
  }

  /** Turns an exchange into a raw stream both ways: attach, exec/start, session. */
  async hijack(request: EngineRequest): Promise<{ connection: Connection; contentType: string }> {
    const { http, head } = await this.#exchange(request, { Connection: 'Upgrade', Upgrade: 'tcp' });
    return { connection: http.detach(), contentType: head.headers.get('content-type') ?? '' };
  }

  /** HEAD /_ping: the engine's headers. Settles the API version. */
  async ping(): Promise<ReadonlyMap<string, string>> {
    const http = await this.#connect();
    const head = await http.exchange({ method: 'HEAD', target: '/_ping', headers: this.#headers() });
    this.#keep(http, head);
    if (!this.#negotiated) this.#settle(head);
    return head.headers;
  }

  /** Closes what is kept for further requests. */
  close(): void {
    for (const http of this.#idle) http.destroy();
    this.#idle = [];
  }

  #settle(head: ResponseHead): void {
    this.#negotiated = true;
    const offered = head.headers.get('api-version');
    if (offered !== undefined && compareVersions(offered, this.#version) < 0) this.#version = offered;
  }

  #keep(http: HttpConnection, head: ResponseHead): void {
    http.reusable = head.headers.get('connection')?.toLowerCase() !== 'close';
    if (http.reusable) this.#idle.push(http);
  }

  async #connect(): Promise<HttpConnection> {
    const kept = this.#idle.pop();
    if (kept) return kept;
    return new HttpConnection(await this.connect());
  }

  /** A bare connection to the engine, for what speaks the API by itself. Throws ConnectError. */
  async connect(): Promise<Connection> {
    const { endpoint } = this;
    if (endpoint.kind === 'ssh') return (await import('./dial-ssh.ts')).dialSsh(endpoint);
    const dial = this.#options.dial ?? (await chooseDial(endpoint));
    try {
      return await dial(endpoint);
    } catch (error) {
      const failure = new ConnectError(endpoint, error);
      if (!failure.isAbsent || !(await this.#options.onAbsent?.())) throw failure;
      return dial(endpoint);
    }
  }

  #headers(): Record<string, string> {
    const { endpoint } = this;
    const host = endpoint.kind === 'tcp' ? `${endpoint.host}:${endpoint.port}` : 'api.moby.localhost';
    return { Host: host, 'User-Agent': this.#options.userAgent ?? 'Wharf-Client', ...this.#options.headers };
  }

  async #exchange(
    request: EngineRequest,
    extra: Readonly<Record<string, string>>,
  ): Promise<{ http: HttpConnection; head: ResponseHead }> {
    if (request.stream && !this.#negotiated) await this.ping();
    for (let attempt = 0; ; attempt += 1) {
      const fresh = this.#idle.length === 0;
      const http = await this.#connect();
      const head = await this.#attempt(http, request, extra, !fresh && attempt < 3);
      if (!head) continue;
      if (head.status < 400) {
        if (!this.#negotiated) this.#settle(head);
        return { http, head };
      }
      const reason = await readReason(http, head, request);
      if (http.reusable) this.#idle.push(http);
      if (!this.#stepDown(reason)) throw new ResponseError(head.status, reason);
    }
  }

  /** Sends once. Undefined: a kept connection had gone stale, so another is worth a try. */
  async #attempt(
    http: HttpConnection,
    request: EngineRequest,
    extra: Readonly<Record<string, string>>,
    mayBeStale: boolean,
  ): Promise<ResponseHead | undefined> {
    request.signal?.addEventListener('abort', () => http.destroy(), { once: true });
    try {
      return await http.exchange(this.#httpRequest(request, extra));
    } catch (error) {
      http.destroy();
      request.signal?.throwIfAborted();
      const isBroken =
        error instanceof BrokenExchange || ['EPIPE', 'ECONNRESET'].includes(errnoOf(error) ?? '');
      if (isBroken && mayBeStale && !request.stream) return undefined;
      if (!isBroken) throw error;
      throw new Error(`error during connect: ${request.method} ${request.path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Takes the engine's word for its newest version, once. */
  #stepDown(reason: string): boolean {
    const older = /client version \S+ is too new\. Maximum supported API version is ([\d.]+)/.exec(
      reason,
    )?.[1];
    if (older === undefined || this.#negotiated) return false;
    this.#version = older;
    this.#negotiated = true;
    return true;
  }

  #httpRequest(request: EngineRequest, extra: Readonly<Record<string, string>>): HttpRequest {
    const body = request.json === undefined ? request.stream : `${JSON.stringify(request.json)}\n`;
    const type = request.contentType ?? (request.json === undefined ? undefined : 'application/json');
    return {
      method: request.method,
      target: `/v${this.#version}${request.path}${formatQuery(request.query)}`,
      headers: {
        ...this.#headers(),
        ...extra,
        ...(type !== undefined && { 'Content-Type': type }),
        ...request.headers,
      },
      ...(body !== undefined && { body }),
    };
  }

  async *#body(
    http: HttpConnection,
    head: ResponseHead,
    request: EngineRequest,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* http.body(head, request.method);
    } finally {
      if (http.reusable && !request.signal?.aborted) this.#idle.push(http);
      else http.destroy();
    }
  }
}

async function chooseDial(endpoint: SocketEndpoint): Promise<Dial> {
  const bun = findBun();
  if (bun && !(endpoint.kind === 'tcp' && endpoint.tls)) return dialBun(bun);
  return (await import('./dial-node.ts')).dialNode;
}

async function readReason(http: HttpConnection, head: ResponseHead, request: EngineRequest): Promise<string> {
  const text = await readText(http.body(head, request.method)).catch(() => '');
  if (/^application\/json\b/.test(head.headers.get('content-type') ?? '')) {
    try {
      const { message } = JSON.parse(text) as { message?: unknown };
      if (typeof message === 'string') return message.trim();
    } catch {
      // Not JSON after all: shown as it is.
    }
  }
  if (text.trim() !== '') return text.trim();
  return `request returned ${head.reason || head.status} for API route and version ${request.path}, check if the server supports the requested API version`;
}

/** A body as text. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function formatQuery(query: EngineRequest['query']): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === false) continue;
    const values = typeof value === 'object' ? value : [value === true ? '1' : String(value)];
    for (const item of values) parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(item)}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** Orders API versions by their numbers: 1.9 before 1.24. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
