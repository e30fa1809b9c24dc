/** Bytes that are gathered for one message, at most. */
const largestMessage = 256 * 1024;

/**
 * What comes in one turn of the loop goes on as one message: a message to a thread costs more than the few bytes of
 * each file that a client describes.
 */
export class Gathering {
  readonly #send: (bytes: Uint8Array<ArrayBuffer>) => void;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #turn: NodeJS.Immediate | undefined;

  constructor(send: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#send = send;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= largestMessage) this.flush();
    else this.#turn ??= setImmediate(() => this.flush());
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
    this.#send(bytes);
  }

  drop(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#chunks = [];
    this.#size = 0;
  }
}
