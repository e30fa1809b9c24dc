import type { Connection } from './connection.ts';

/** The head of an HTTP/1.1 answer; header names in lower case. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: ReadonlyMap<string, string>;
}

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** A list is sent as one line for each of its values. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** A stream is sent chunked. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** The connection ended before an answer was whole. */
export class BrokenExchange extends Error {
  override readonly name = 'BrokenExchange';
}

/** One HTTP/1.1 connection, for one exchange after another (RFC 9112). Bytes beyond an answer are kept. */
export class HttpConnection {
  readonly #connection: Connection;
  #rest: Uint8Array = new Uint8Array();
  /** Whether the last answer was read to its end and allows another request. */
  reusable = true;
  /** A streamed body is not out yet, or will never be. */
  #sending = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  destroy(): void {
    this.reusable = false;
    this.#connection.destroy();
  }

  /** Sends the request and reads the head of the answer. An early failure ends the sending of a streamed body. */
  async exchange(request: HttpRequest): Promise<ResponseHead> {
    this.reusable = false;
    const { body } = request;
    const isStream = body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array);
    const fixed = body === undefined || isStream ? undefined : Buffer.from(body);
    const hasLength = fixed !== undefined || request.method === 'POST' || request.method === 'PUT';
    const headers = {
      ...request.headers,
      ...(isStream
        ? { 'Transfer-Encoding': 'chunked' }
        : hasLength && { 'Content-Length': String(fixed?.length ?? 0) }),
    };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      (typeof value === 'string' ? [value] : value).map((each) => `${name}: ${each}\r\n`),
    );
    const head = Buffer.from(`${request.method} ${request.target} HTTP/1.1\r\n${lines.join('')}\r\n`);
    await this.#connection.write(fixed ? Buffer.concat([head, fixed]) : head);
    if (!isStream) return this.#readHead();
    const answered = this.#readHead();
    const sent = this.#sendChunks(body, answered);
    return Promise.race([answered, sent.then(() => answered)]);
  }

  async #sendChunks(body: AsyncIterable<Uint8Array>, answered: Promise<ResponseHead>): Promise<void> {
    this.#sending = true;
    const early = { failed: false };
    answered.then(
      ({ status }) => (early.failed = status >= 400),
      () => (early.failed = true),
    );
    for await (const chunk of body) {
      if (early.failed) return;
      if (chunk.length === 0) continue;
      await this.#connection.write(
        Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, crlf]),
      );
    }
    await this.#connection.write('0\r\n\r\n');
    this.#sending = false;
  }

  async #readHead(): Promise<ResponseHead> {
    for (;;) {
      const lines = (await this.#readUntil('\r\n\r\n')).split('\r\n');
      const [, status = '', reason = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(lines.shift() ?? '') ?? [];
      if (status === '') throw new BrokenExchange('malformed HTTP response');
      if (status === '100') continue;
      const headers = new Map<string, string>();
      for (const line of lines) {
        const colon = line.indexOf(':');
        if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
      }
      return { status: Number(status), reason, headers };
    }
  }

  /** The text up to the mark, which is consumed. */
  async #readUntil(mark: string): Promise<string> {
    let buffer = Buffer.from(this.#rest.buffer, this.#rest.byteOffset, this.#rest.length);
    for (;;) {
      const end = buffer.indexOf(mark);
      if (end >= 0) {
        this.#rest = buffer.subarray(end + mark.length);
        return buffer.toString('latin1', 0, end);
      }
      const chunk = await this.#connection.read();
      if (!chunk) throw new BrokenExchange(buffer.length === 0 ? 'EOF' : 'unexpected EOF');
      buffer = Buffer.concat([buffer, chunk]);
    }
  }

  /** The body of the answer; must be read to its end, or the connection destroyed. */
  async *body(head: ResponseHead, method: string): AsyncGenerator<Uint8Array, void, undefined> {
    const persistent = head.headers.get('connection')?.toLowerCase() !== 'close';
    if (method === 'HEAD' || head.status === 204 || head.status === 304) {
      this.reusable = persistent && !this.#sending;
      return;
    }
    if (head.headers.get('transfer-encoding')?.toLowerCase() === 'chunked') {
      yield* this.#chunks();
      this.reusable = persistent && !this.#sending;
      return;
    }
    const length = head.headers.get('content-length');
    if (length === undefined) {
      yield* this.#untilClose();
      return;
    }
    yield* this.#exactly(Number(length));
    this.reusable = persistent && !this.#sending;
  }

  async *#exactly(size: number): AsyncGenerator<Uint8Array, void, undefined> {
    let missing = size;
    while (missing > 0) {
      const chunk = this.#rest.length > 0 ? this.#rest : await this.#connection.read();
      if (!chunk) throw new BrokenExchange('unexpected EOF');
      const taken = chunk.subarray(0, missing);
      this.#rest = chunk.subarray(taken.length);
      missing -= taken.length;
      yield taken;
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const size = parseInt(await this.#readUntil('\r\n'), 16);
      if (Number.isNaN(size)) throw new BrokenExchange('malformed chunk');
      if (size === 0) {
        // Trailers end with an empty line.
        while ((await this.#readUntil('\r\n')) !== '');
        return;
      }
      yield* this.#exactly(size);
      await this.#readUntil('\r\n');
    }
  }

  async *#untilClose(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = this.#rest.length > 0 ? this.#rest : await this.#connection.read();
      this.#rest = new Uint8Array();
      if (!chunk) return;
      yield chunk;
    }
  }

  /** Gives the connection away after an upgrade: what was read too far comes first. */
  detach(): Connection {
    let early: Uint8Array | undefined = this.#rest.length > 0 ? this.#rest : undefined;
    const connection = this.#connection;
    return {
      ...connection,
      read: () => {
        const chunk = early;
        early = undefined;
        return chunk ? Promise.resolve(chunk) : connection.read();
      },
    };
  }
}

const crlf = Buffer.from('\r\n');
