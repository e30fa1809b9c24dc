import { Socket } from 'node:net';
import { ReadStream } from 'node:tty';

const CHUNK_BYTES = 64 * 1024;
/** One buffer for all: a chunk is worked off before the next read. */
const shared = Buffer.allocUnsafeSlow(CHUNK_BYTES);

export type OutputKind = 'fifo' | 'terminal';

export interface OutputEvents {
  /** The memory of `chunk` is reused after the call. */
  data(chunk: Buffer): void;
  /** No process holds the other end any more. Called once. */
  end(): void;
}

/** The reading end of a process's output (and the writing end, for a terminal). Owns its descriptor. */
export class Output {
  readonly fd: number;
  readonly socket: Socket;
  ended = false;
  #paused = true;

  constructor(fd: number, kind: OutputKind, events: OutputEvents) {
    this.fd = fd;
    const onread = {
      buffer: shared,
      callback: (length: number) => {
        events.data(shared.subarray(0, length));
        return true;
      },
    };
    this.socket =
      kind === 'terminal'
        ? // The option is net.Socket's and is passed on; the type of ReadStream leaves it out.
          new ReadStream(fd, { onread, allowHalfOpen: true })
        : new Socket({ fd, readable: true, writable: false, onread });
    const end = (): void => {
      if (this.ended) return;
      this.ended = true;
      this.socket.destroy();
      events.end();
    };
    this.socket.on('end', end);
    this.socket.on('close', end);
    // A terminal's end is EIO.
    this.socket.on('error', end);
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    if (this.#paused || this.ended) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.ended) return;
    this.#paused = false;
    this.socket.resume();
  }

  close(): void {
    this.socket.destroy();
  }
}
