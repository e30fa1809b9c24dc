import { connect, type Socket } from 'node:net';
import { internal, unavailable } from '#kernel';
import { LineSplitter } from '../supervisor/lines.ts';
import {
  replyError,
  type ExitEvent,
  type Method,
  type Methods,
  type Reply,
  type WireTask,
} from '../supervisor/protocol.ts';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export const connectTo = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });

/** A control connection to the supervisor. When it breaks, every request under way is rejected as unavailable. */
export class ControlConnection {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #lines = new LineSplitter();
  /** Resolves when the connection has ended, whatever the reason. */
  readonly closed: Promise<void>;
  #lastId = 0;

  constructor(socket: Socket, onExit: (exit: WireTask) => void) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const line of this.#lines.push(chunk)) this.#take(line, onExit);
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const waiting of this.#waiting.values()) {
          waiting.reject(unavailable('the connection to the supervisor broke'));
        }
        this.#waiting.clear();
        resolve();
      });
    });
  }

  get open(): boolean {
    return !this.#socket.destroyed;
  }

  async request<M extends Method>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']> {
    if (this.#socket.destroyed) throw unavailable('the supervisor is not connected');
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    // The supervisor answers each method with what the protocol says.
    return (await promise) as Methods[M]['result'];
  }

  /** Lets the process end although the connection is open. */
  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(line: string, onExit: (exit: WireTask) => void): void {
    // Our own supervisor speaks.
    const message = JSON.parse(line) as Reply | ExitEvent;
    if ('exit' in message) {
      onExit(message.exit);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (!waiting) throw internal(`the supervisor answered a request ${message.id} that was not made`);
    if ('error' in message) waiting.reject(replyError(message.error));
    else waiting.resolve(message.result);
  }
}
