import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Passes TCP connections on to a server, and cuts them when it is told to. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes to the server, all in all, after which every connection is cut; each once. */
  cutUp: number[] = [];
  /** Bytes from the server, likewise. */
  cutDown: number[] = [];
  up = 0;
  down = 0;

  private constructor(target: string) {
    const [host = '', port = ''] = target.split(':');
    this.#server = createServer((client) => {
      const server = connect(Number(port), host);
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
      client.on('data', (chunk) => {
        this.up += chunk.length;
        this.#pass(chunk, client, server, this.cutUp, this.up);
      });
      server.on('data', (chunk) => {
        this.down += chunk.length;
        this.#pass(chunk, server, client, this.cutDown, this.down);
      });
    });
  }

  static async open(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** host:port */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #pass(chunk: Buffer | string, from: Socket, to: Socket, cuts: number[], passed: number): void {
    if (!to.write(chunk)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
    const [next = Infinity] = cuts;
    if (passed < next) return;
    cuts.shift();
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }
}
