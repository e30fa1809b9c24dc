import { writevSync } from 'node:fs';
import type { Socket } from 'node:net';
import { descriptorOf } from '#linux';

/** Node keeps the handle to itself; its queue size is how much of a write the kernel has not taken yet. */
interface WithHandle {
  readonly _handle?: { readonly fd?: number; readonly writeQueueSize?: number } | null;
}

/**
 * Bytes on their way into a socket or FIFO: what the kernel takes at once goes without a copy, the rest is queued,
 * with one write under way, so that at any moment it is known which bytes the kernel has not taken. The owner bounds
 * the queue by pausing its source while `size` is large.
 */
export class Outlet {
  readonly #socket: Socket;
  readonly #onDrain: () => void;
  #queue: Buffer[] = [];
  #current: readonly Buffer[] = [];
  #size = 0;
  #ended = false;
  #lastUnsent = 0;
  #lastProgress = 0;

  /** `onDrain` is called whenever the queue has become empty. */
  constructor(socket: Socket, onDrain: () => void) {
    this.#socket = socket;
    this.#onDrain = onDrain;
  }

  /** Bytes queued and under way. */
  get size(): number {
    return this.#size;
  }

  /** No more bytes are taken. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends bytes; their memory may be reused after the call. */
  write(...parts: Buffer[]): void {
    if (this.#ended || this.#socket.destroyed) return;
    const sent = this.#size === 0 ? this.#writeNow(parts) : 0;
    const left = skip(parts, sent);
    if (left.length === 0) return;
    const rest = Buffer.concat(left);
    this.#queue.push(rest);
    this.#size += rest.length;
    this.#next();
  }

  /** Ends the write side once the queue is empty. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#size === 0) this.#socket.end();
  }

  /** What the kernel has not taken yet, in order. */
  unsent(): Buffer[] {
    return [...skip(this.#current, byteLength(this.#current) - this.#inKernelQueue()), ...this.#queue];
  }

  /** Milliseconds for which nothing moved although bytes wait. `now` in milliseconds. */
  stalledFor(now: number): number {
    const unsent = this.#size - byteLength(this.#current) + this.#inKernelQueue();
    if (unsent === 0 || unsent !== this.#lastUnsent) {
      this.#lastUnsent = unsent;
      this.#lastProgress = now;
    }
    return now - this.#lastProgress;
  }

  /** Bytes that the kernel took, 0 when it is full or the other side has gone (which the queue's write will report). */
  #writeNow(parts: readonly Buffer[]): number {
    const fd = descriptorOf(this.#socket);
    if (fd === undefined || this.#socket.connecting) return 0;
    try {
      return writevSync(fd, parts);
    } catch {
      return 0;
    }
  }

  #inKernelQueue(): number {
    const queued = (this.#socket as unknown as WithHandle)._handle?.writeQueueSize ?? 0;
    return Math.min(queued, byteLength(this.#current));
  }

  #next(): void {
    if (this.#current.length > 0) return;
    const current = this.#queue;
    if (current.length === 0) return;
    this.#queue = [];
    this.#current = current;
    this.#socket.cork();
    for (const data of current.slice(0, -1)) this.#socket.write(data);
    this.#socket.write(current.at(-1) ?? Buffer.alloc(0), () => this.#written(byteLength(current)));
    this.#socket.uncork();
  }

  #written(length: number): void {
    this.#current = [];
    this.#size -= length;
    if (this.#queue.length > 0) {
      this.#next();
      return;
    }
    if (this.#ended) this.#socket.end();
    this.#onDrain();
  }
}

const byteLength = (parts: readonly Buffer[]): number => parts.reduce((sum, { length }) => sum + length, 0);

/** The parts without their first `count` bytes. */
function skip(parts: readonly Buffer[], count: number): Buffer[] {
  let left = count;
  return parts.flatMap((part) => {
    const skipped = Math.min(left, part.length);
    left -= skipped;
    return skipped < part.length ? [part.subarray(skipped)] : [];
  });
}
