import type { IncomingMessage, ServerResponse } from 'node:http';
import { digestOf } from '#oci';
import { sendError, type FakeRegistry } from './fake-registry.ts';

/** The uploads of a fake registry, with their state, as a registry keeps it that can go on after a break. */
export class UploadDesk {
  readonly #registry: FakeRegistry;
  /** One line per request that began to be answered. */
  readonly log: string[] = [];
  /** Bytes held at which connections are cut, each once. */
  breaks: number[] = [];
  /** Whether a broken upload is gone. */
  forgets = false;
  /** How many finished uploads the client does not hear of. */
  losesAnswers = 0;
  /** Bytes that a request may have. */
  limit = Infinity;
  /** Bytes that arrived, all in all. */
  received = 0;
  #held: Buffer[] = [];
  #isOpen = false;

  constructor(registry: FakeRegistry) {
    this.#registry = registry;
    registry.intercept = async (request, response, url) => {
      if (!url.pathname.includes('/blobs/uploads/')) return false;
      await this.#answer(request, response, url);
      return true;
    };
  }

  get #size(): number {
    return this.#held.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  async #answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { method = '' } = request;
    const location = '/v2/a/blobs/uploads/1';
    if (method === 'POST') {
      this.log.push('POST');
      this.#held = [];
      this.#isOpen = true;
      response.writeHead(202, { location }).end();
      return;
    }
    if (!this.#isOpen) return void sendError(response, 404, 'BLOB_UPLOAD_UNKNOWN', 'no such upload');
    const range = `0-${Math.max(0, this.#size - 1)}`;
    if (method === 'GET') return void response.writeHead(204, { location, range }).end();
    const length = Number(request.headers['content-length']);
    this.log.push(`${method} ${request.headers['content-range'] ?? String(length)}`);
    if (length > this.limit) {
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
    if (!(await this.#receive(request))) return;
    if (method === 'PATCH') return void response.writeHead(202, { location }).end();
    const bytes = Buffer.concat(this.#held);
    if (digestOf(bytes) !== url.searchParams.get('digest')) {
      return void sendError(response, 400, 'DIGEST_INVALID', 'other bytes');
    }
    this.#registry.blobs.set(digestOf(bytes), bytes);
    this.#isOpen = false;
    this.losesAnswers -= 1;
    if (this.losesAnswers >= 0) request.socket.destroy();
    else response.writeHead(201).end();
  }

  /** False where the connection was cut. */
  async #receive(request: IncomingMessage): Promise<boolean> {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      this.#held.push(chunk);
      this.received += chunk.length;
      const [next = Infinity] = this.breaks;
      if (this.#size < next) continue;
      this.breaks.shift();
      if (this.forgets) this.#isOpen = false;
      request.socket.destroy();
      return false;
    }
    return true;
  }
}
