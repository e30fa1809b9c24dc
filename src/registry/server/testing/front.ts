import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { Transform } from 'node:stream';

/** What stands between a registry and those who ask it, and does not always do well by them. */
export class Front implements AsyncDisposable {
  /** `METHOD path` and, where there is one, ` Range`, of everything asked so far. */
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  /** Connections are closed without an answer. */
  isDown = false;
  /** Bytes of a body that are let through; undefined: all. */
  cutAfter: number | undefined;
  /** Bytes of a body after which it waits for this. */
  gate: { readonly at: number; readonly opened: Promise<unknown> } | undefined;
  /** Changes bodies. */
  spoil: ((chunk: Buffer) => Buffer) | undefined;
  /** Where blobs are said to be. */
  redirect: ((path: string) => string) | undefined;
  readonly #target: URL;
  readonly #server = createServer((request, response) => this.#pass(request, response));

  constructor(target: string) {
    this.#target = new URL(target);
  }

  /** Resolves to `host:port`. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  count(pattern: RegExp): number {
    return this.requests.filter((each) => pattern.test(each)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    this.requests.push(`${method} ${url}${headers.range === undefined ? '' : ' Range'}`);
    this.authorizations.push(headers.authorization);
    if (this.isDown) {
      request.socket.destroy();
      return;
    }
    if (this.redirect && method === 'GET' && url.includes('/blobs/')) {
      response.writeHead(307, { Location: this.redirect(url) }).end();
      return;
    }
    const { hostname, port } = this.#target;
    const onward = ask({ hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(this.#faults(response)).pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }

  #faults(response: ServerResponse): Transform {
    let sent = 0;
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const go = (): void => {
          sent += chunk.length;
          if (this.cutAfter !== undefined && sent > this.cutAfter) response.destroy();
          else done(null, this.spoil ? this.spoil(chunk) : chunk);
        };
        const { gate } = this;
        if (gate && sent >= gate.at) void gate.opened.then(go);
        else go();
      },
    });
  }
}
