import { Socket } from 'node:net';
import { Outlet } from './outlet.ts';

/** Above this many waiting bytes attachments are not read. */
const HIGH_WATER_BYTES = 64 * 1024;

/** The writing end of a process's stdin: a pipe of its own, or its terminal's master. */
export class Stdin {
  readonly fd: number;
  readonly outlet: Outlet;
  readonly #socket: Socket;
  readonly #owned: boolean;

  /** With `terminal`, the socket of the terminal's output, which is not ours to close. */
  constructor(fd: number, terminal: Socket | undefined, onDrain: () => void) {
    this.fd = fd;
    this.#owned = terminal === undefined;
    this.#socket = terminal ?? new Socket({ fd, readable: false, writable: true });
    this.outlet = new Outlet(this.#socket, onDrain);
    // The process closed its stdin or ended: what was meant for it is dropped.
    if (this.#owned) this.#socket.on('error', () => this.#socket.destroy());
  }

  get full(): boolean {
    return this.outlet.size > HIGH_WATER_BYTES;
  }

  get closed(): boolean {
    return this.#socket.destroyed || this.outlet.ended;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  write(data: Buffer): void {
    this.outlet.write(data);
  }

  /** End of file, after everything written so far. Means nothing for a terminal. */
  end(): void {
    if (!this.#owned) return;
    this.outlet.end();
    this.#socket.once('finish', () => this.#socket.destroy());
  }

  destroy(): void {
    if (this.#owned) this.#socket.destroy();
  }
}
