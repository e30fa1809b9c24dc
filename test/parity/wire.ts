import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A request as it goes over the wire. A body that is no bytes is sent as JSON. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Names of headers are in lower case. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const deadline = 60_000;

/** Headers with which attach and exec give the connection over to their streams. */
export const upgrade = { Connection: 'Upgrade', Upgrade: 'tcp' };

function encode({ body, headers = {} }: Asked): {
  bytes: Uint8Array | undefined;
  headers: Record<string, string>;
} {
  if (body === undefined) return { bytes: undefined, headers };
  if (body instanceof Uint8Array) return { bytes: body, headers };
  const bytes = Buffer.from(JSON.stringify(body));
  return { bytes, headers: { 'Content-Type': 'application/json', ...headers } };
}

/** One request on a connection of its own, and its whole answer. */
export function ask(socketPath: string, asked: Asked): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  const { bytes, headers } = encode(asked);
  const length = bytes ? { 'Content-Length': bytes.length } : {};
  const options = { socketPath, method: asked.method, path: asked.path, agent: false };
  const sent = request(
    { ...options, headers: { Host: 'docker', ...length, ...headers }, signal: AbortSignal.timeout(deadline) },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const entries = Object.entries(response.headersDistinct).map(([name, values]) => [
          name,
          values?.join(', '),
        ]);
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(entries) as Received['headers'],
          body: Buffer.concat(chunks),
        });
      });
    },
  );
  sent.on('error', (error) => {
    reject(new Error(`${asked.method} ${asked.path}: ${error.message}`, { cause: error }));
  });
  sent.end(bytes);
  return promise;
}

/** A connection that its request takes over: attach and exec. Bytes both ways after the answer's head. */
export class TakenOver {
  readonly #socket: Socket;
  readonly #what: string;
  #bytes = Buffer.alloc(0);
  #ended = false;
  #headEnd = -1;

  private constructor(socket: Socket, what: string) {
    this.#socket = socket;
    this.#what = what;
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
    });
    socket.on('end', () => {
      this.#ended = true;
    });
  }

  /** Sends the request; resolves when the answer's head has come. */
  static async open(socketPath: string, asked: Asked): Promise<TakenOver> {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    const stream = new TakenOver(socket, `${asked.method} ${asked.path}`);
    await once(socket, 'connect');
    const { bytes, headers } = encode(asked);
    const all = { Host: 'docker', ...headers, 'Content-Length': String(bytes?.length ?? 0) };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`${asked.method} ${asked.path} HTTP/1.1\r\n${head.join('')}\r\n`);
    if (bytes) socket.write(bytes);
    await stream.#until(() => stream.#bytes.includes('\r\n\r\n'));
    stream.#headEnd = stream.#bytes.indexOf('\r\n\r\n') + 4;
    return stream;
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.#head)?.[1] ?? 0);
  }

  get headers(): Readonly<Record<string, string>> {
    const lines = this.#head.trimEnd().split('\r\n').slice(1);
    const entries = lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    return Object.fromEntries(entries) as Record<string, string>;
  }

  get #head(): string {
    return this.#bytes.subarray(0, Math.max(this.#headEnd, 0)).toString('latin1');
  }

  /** What has come after the head. */
  get received(): Buffer {
    return this.#bytes.subarray(this.#headEnd);
  }

  write(data: string | Uint8Array): void {
    this.#socket.write(data);
  }

  /** Nothing more will be sent; answers still come. */
  end(): void {
    this.#socket.end();
  }

  /** Until the text stands in what came. */
  async until(text: string): Promise<void> {
    await this.#until(() => this.received.includes(text));
  }

  /** Until the engine has ended its side. */
  async finish(): Promise<Buffer> {
    await this.#until(() => this.#ended);
    this.#socket.destroy();
    return this.received;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #until(done: () => boolean): Promise<void> {
    const limit = Date.now() + deadline;
    while (!done()) {
      const left = limit - Date.now();
      if (left <= 0 || this.#ended) {
        this.#socket.destroy();
        const state = this.#ended ? 'ended' : 'said no more';
        throw new Error(`${this.#what}: the engine ${state} after ${JSON.stringify(this.#bytes.toString())}`);
      }
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const wake = (): void => resolve(undefined);
      const timer = setTimeout(wake, left);
      for (const event of ['data', 'end', 'close']) this.#socket.once(event, wake);
      await promise;
      clearTimeout(timer);
      for (const event of ['data', 'end', 'close']) this.#socket.off(event, wake);
    }
  }
}
