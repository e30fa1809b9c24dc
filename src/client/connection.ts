import type { SocketEndpoint } from './endpoint.ts';

/**
 * A stream socket to an engine. Reading is by pull, with backpressure towards the engine; writing can be ended
 * on its own (half-close), which attach and exec need.
 */
export interface Connection {
  /** The next bytes, or undefined once the engine has closed its side. Rejects if the connection breaks. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when the bytes are on their way and more may follow. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Ends our side: the engine sees EOF, its own output goes on. */
  closeWrite(): void;
  /** Drops the connection at once. */
  destroy(): void;
}

/** Connects. Throws the system's error, with `code`. */
export type Dial = (endpoint: SocketEndpoint) => Promise<Connection>;

const highWater = 1 << 20;

/** The receiving half of a connection: chunks queue up until someone reads them. */
export class Inbox {
  readonly #chunks: Uint8Array[] = [];
  readonly #flow: { pause(): void; resume(): void };
  #size = 0;
  #paused = false;
  #ended = false;
  #error: Error | undefined;
  #waiting: (() => void) | undefined;

  constructor(flow: { pause(): void; resume(): void }) {
    this.#flow = flow;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (!this.#paused && this.#size > highWater) {
      this.#paused = true;
      this.#flow.pause();
    }
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.end();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#size -= chunk.length;
        if (this.#paused && this.#size === 0) {
          this.#paused = false;
          this.#flow.resume();
        }
        return chunk;
      }
      if (this.#error) throw this.#error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }
}
