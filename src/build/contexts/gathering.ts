/** Bytes that are gathered for one message, at most. */
const largestMessage = 256 * 1024;

/** Milliseconds between two messages, unless they are large. */
const pause = 2;

/**
 * What comes in one turn of the loop, or soon after another message, goes on as one message: a message to a thread costs
 * more than the few bytes of each file that a client describes, and a client may send those one by one.
 */
export class Gathering {
  readonly #send: (bytes: Uint8Array<ArrayBuffer>) => void;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastSent = -Infinity;

  constructor(send: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#send = send;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= largestMessage) this.flush();
    else if (!this.#timer) this.#turn ??= setImmediate(() => this.#flushInTime());
  }

  #flushInTime(): void {
    this.#turn = undefined;
    const rest = this.#lastSent + pause - performance.now();
    if (rest <= 0) this.flush();
    else this.#timer = setTimeout(() => this.flush(), rest);
  }

  flush(): void {
    const [chunks, size] = [this.#chunks, this.#size];
    this.drop();
    if (size === 0) return;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    this.#lastSent = performance.now();
    this.#send(bytes);
  }

  drop(): void {
    clearImmediate(this.#turn);
    clearTimeout(this.#timer);
    this.#turn = undefined;
    this.#timer = undefined;
    this.#chunks = [];
    this.#size = 0;
  }
}
