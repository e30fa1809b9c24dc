import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseTarget } from '../request-target.ts';
import type { Metrics } from './metrics.ts';

/** What one request and its answer come to. */
export class Transfer {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #metrics: Metrics;
  readonly #began = performance.now();
  readonly #read: number;
  readonly #written: number;
  readonly #remote: string | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, metrics: Metrics) {
    this.#request = request;
    this.#response = response;
    this.#metrics = metrics;
    // Connections serve one request after the other.
    this.#read = request.socket.bytesRead;
    this.#written = request.socket.bytesWritten;
    this.#remote = request.socket.remoteAddress;
    metrics.begun();
  }

  /** Counts it. */
  end(): {
    readonly remote: string | undefined;
    readonly ms: number;
    readonly received: number;
    readonly sent: number;
  } {
    const { method = '', url = '', socket, headers, complete } = this.#request;
    const ms = performance.now() - this.#began;
    const length = Number(headers['content-length'] ?? NaN);
    // A short body comes in with the head, before anybody counts.
    const received = complete && !Number.isNaN(length) ? length : socket.bytesRead - this.#read;
    const sent = socket.bytesWritten - this.#written;
    const code = this.#response.statusCode;
    this.#metrics.answered({ method, route: routeOf(url), code, seconds: ms / 1000, received, sent });
    return { remote: this.#remote, ms: Math.round(ms * 10) / 10, received, sent };
  }
}

/** Few names, whatever is asked for. */
function routeOf(url: string): string {
  const [path = ''] = url.split('?');
  if (path === '/token' || path === '/healthz') return path.slice(1);
  if (!path.startsWith('/v2')) return 'page';
  try {
    return parseTarget(decodeURIComponent(path))?.kind ?? 'other';
  } catch {
    return 'other';
  }
}
