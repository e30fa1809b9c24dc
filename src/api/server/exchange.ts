import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiVersion } from './api-version.ts';
import type { Query } from './query.ts';
import { readJson } from './request-body.ts';
import { liftBody, liftQuery } from './versions/index.ts';

/** The connection under a request that may take it over. */
export interface Connection {
  /** Whether the client asked for an upgrade; without it the answer is a plain 200. */
  readonly upgrade: boolean;
  /** For the signal: closes when the client has gone. */
  readonly socket: Duplex;
  /**
   * Waits for the end of the request's body and hands over the bare connection, from the byte behind it on.
   * The response is of no use afterwards.
   */
  take(): Promise<Duplex>;
}

interface ExchangeInit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly operation: string;
  readonly version: ApiVersion;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly connection?: Connection | undefined;
}

/** One request and the place of its answer. Query and body appear in their newest form, whatever the version. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly operation: string;
  readonly version: ApiVersion;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  /** Only for routes that hijack. */
  readonly connection: Connection | undefined;
  #abort: AbortController | undefined;

  constructor(init: ExchangeInit) {
    this.request = init.request;
    this.response = init.response;
    this.operation = init.operation;
    this.version = init.version;
    this.params = init.params;
    this.query = liftQuery(init.operation, init.version, init.query);
    this.connection = init.connection;
  }

  /** The path's `:name`. */
  get name(): string {
    return this.params['name'] ?? '';
  }

  /** Aborts when the client goes away before the answer is complete. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      const abort = new AbortController();
      this.#abort = abort;
      const socket = this.connection?.socket;
      const leave = (): void => {
        if (socket || !this.response.writableFinished) abort.abort(new Error('the client went away'));
      };
      (socket ?? this.response).once('close', leave);
      if ((socket ?? this.response).destroyed) leave();
    }
    return this.#abort.signal;
  }

  /** The JSON body as `parse` reads it; undefined is parsed when there is none. */
  async body<T>(parse: (body: unknown) => T): Promise<T> {
    return liftBody(this.operation, this.version, parse(await readJson(this.request)));
  }

  /** A header's first value, '' when it is missing. */
  header(name: string): string {
    const value = this.request.headers[name];
    return (Array.isArray(value) ? value[0] : value) ?? '';
  }

  /** Sends status 200 and headers at once, before any body. */
  startStream(contentType?: string): ServerResponse {
    if (contentType !== undefined) this.response.setHeader('Content-Type', contentType);
    this.response.statusCode = 200;
    this.response.flushHeaders();
    return this.response;
  }
}
