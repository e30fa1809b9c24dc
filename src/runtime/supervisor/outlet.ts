import type { Socket } from 'node:net';

/** Node keeps the handle to itself; its queue size is how much of a write the kernel has not taken yet. */
interface WithHandle {
  readonly _handle?: { readonly fd?: number; readonly writeQueueSize?: number } | null;
}

/** The descriptor under a socket, for passing it to the next program. */
export function descriptorOf(socket: Socket): number | undefined {
  // A private property: Node offers no public way to a socket's descriptor.
  const fd = (socket as unknown as WithHandle)._handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}

/**
 * Bytes on their way into a socket or FIFO: a queue with one write under way, so that at any moment it is known which
 * bytes the kernel has not taken. The owner bounds the queue by pausing its source while `size` is large.
 */
export class Outlet {
  readonly #socket: Socket;
  readonly #onDrain: () => void;
  #queue: Buffer[] = [];
  #current: Buffer | undefined;
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

  /** Queues bytes; they must not change afterwards. */
  write(data: Buffer): void {
    if (data.length === 0 || this.#ended || this.#socket.destroyed) return;
    this.#queue.push(data);
    this.#size += data.length;
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
    const current = this.#current;
    if (!current) return [...this.#queue];
    return [current.subarray(current.length - this.#inKernelQueue(current)), ...this.#queue];
  }

  /** Milliseconds for which nothing moved although bytes wait. `now` in milliseconds. */
  stalledFor(now: number): number {
    const unsent = this.#current ? this.#size - this.#current.length + this.#inKernelQueue(this.#current) : 0;
    if (unsent === 0 || unsent !== this.#lastUnsent) {
      this.#lastUnsent = unsent;
      this.#lastProgress = now;
    }
    return now - this.#lastProgress;
  }

  #inKernelQueue(current: Buffer): number {
    const queued = (this.#socket as unknown as WithHandle)._handle?.writeQueueSize ?? 0;
    return Math.min(queued, current.length);
  }

  #next(): void {
    if (this.#current) return;
    const data = this.#queue.length > 1 ? Buffer.concat(this.#queue) : this.#queue[0];
    if (!data) return;
    this.#queue = [];
    this.#current = data;
    this.#socket.write(data, () => {
      this.#current = undefined;
      this.#size -= data.length;
      if (this.#queue.length > 0) {
        this.#next();
        return;
      }
      if (this.#ended) this.#socket.end();
      this.#onDrain();
    });
  }
}
