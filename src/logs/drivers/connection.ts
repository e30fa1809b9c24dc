import { connect as connectStream, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { errnoOf, internal, messageOf } from '#kernel';
import { hostPort } from './addresses.ts';

export type StreamTarget =
  | { readonly path: string }
  | { readonly host: string; readonly port: number; readonly tls?: ConnectionOptions };

const CONNECT_MS = 10_000;

const phrases: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ENOENT: 'connect: no such file or directory',
  EACCES: 'connect: permission denied',
  EPROTOTYPE: 'connect: protocol wrong type for socket',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** Go's words for a connection that did not come about. `where` is `tcp` or `udp` or `unix`. */
export function dialError(where: string, target: string, error: unknown): Error {
  const code = errnoOf(error) ?? '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const host = target.replace(/:\d+$/, '');
    const reason = code === 'ENOTFOUND' ? 'no such host' : 'server misbehaving';
    return internal(`dial ${where}: lookup ${host}: ${reason}`, error);
  }
  return internal(`dial ${where} ${target}: ${phrases[code] ?? messageOf(error)}`, error);
}

/** What TLS asks a server for: a name, never an address (RFC 6066, 3). */
const serverName = (host: string): ConnectionOptions => (isIP(host) === 0 ? { servername: host } : {});

/** A byte stream to a log server. It ends for good with its first failure. */
export class Connection {
  readonly #socket: Socket;
  #failure: Error | undefined;
  #pending: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setTimeout(0);
    socket.on('error', (error) => this.#fail(error));
    // A server that has closed its side takes nothing more, although the kernel would.
    socket.on('end', () => this.#fail(new Error('the log server has closed the connection')));
    socket.on('close', () => this.#fail(new Error('the connection to the log server is closed')));
    socket.resume();
  }

  /** Throws `dial tcp 127.0.0.1:1: connect: connection refused` and the like. */
  static async open(target: StreamTarget): Promise<Connection> {
    const [where, name] =
      'path' in target ? ['unix', target.path] : ['tcp', hostPort(target.host, target.port)];
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const connected = (): void => resolve(undefined);
    const socket =
      'tls' in target
        ? connectTls({ ...target, ...serverName(target.host), ...target.tls }, connected)
        : connectStream(target, connected);
    socket.on('error', reject);
    socket.setTimeout(CONNECT_MS, () => {
      socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }));
    });
    try {
      await promise;
    } catch (error) {
      socket.destroy();
      throw dialError(where, name, error);
    }
    socket.off('error', reject);
    return new Connection(socket);
  }

  /** Resolves when the kernel has taken everything; fails for good where that takes longer than `timeout` ms (0: any). */
  async write(data: Buffer, timeout = 0): Promise<void> {
    if (this.#failure) throw this.#failure;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#pending = reject;
    this.#socket.write(data, (error) => {
      if (error) reject(error);
      else resolve(undefined);
    });
    const limit =
      timeout > 0 ? setTimeout(() => this.#fail(new Error('write: i/o timeout')), timeout) : undefined;
    await promise.finally(() => clearTimeout(limit));
    this.#pending = undefined;
  }

  onData(listener: (data: Buffer) => void): void {
    this.#socket.on('data', listener);
  }

  onFailure(listener: (error: Error) => void): void {
    this.#socket.once('close', () => listener(this.#failure ?? new Error('closed')));
  }

  /** Sends what is queued, then ends. A write that waits for the server to take it is given up. */
  close(): void {
    this.#failure ??= new Error('closed');
    this.#pending?.(this.#failure);
    this.#socket.end();
    // A server that never closes its side must not keep ours.
    this.#socket.setTimeout(CONNECT_MS, () => this.#socket.destroy());
    this.#socket.unref();
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#pending?.(error);
    this.#socket.destroy();
  }
}
