import { Readable } from 'node:stream';
import type { ContentStore, Ingest } from '#content';
import type { Descriptor } from '#oci';
import type { ByteRange } from '../byte-range.ts';

const step = 256 << 10;

/**
 * A blob on its way from its upstream into the store, read by any number of clients meanwhile, each at its own pace.
 * The last byte of what a client asked for is held back until the whole is verified: what is wrong never arrives.
 */
export class BlobPassage {
  readonly size: number;
  readonly #descriptor: Descriptor;
  readonly #content: ContentStore;
  readonly #ingest: Ingest;
  #received: number;
  #isDone = false;
  #failure: { readonly error: unknown } | undefined;
  #change = Promise.withResolvers<undefined>();

  constructor(descriptor: Descriptor, content: ContentStore, ingest: Ingest) {
    this.#descriptor = descriptor;
    this.size = descriptor.size;
    this.#content = content;
    this.#ingest = ingest;
    this.#received = ingest.offset;
  }

  /** Takes the rest of the bytes; `keep` makes the verified blob somebody's before anybody is told. */
  async run(source: Readable, keep: (commit: () => Promise<unknown>) => Promise<void>): Promise<void> {
    try {
      for await (const chunk of source as AsyncIterable<Uint8Array>) {
        await this.#ingest.write(chunk);
        this.#received += chunk.length;
        this.#tell();
      }
      await keep(() => this.#ingest.commit(this.#descriptor.digest));
      this.#isDone = true;
    } catch (error) {
      this.#failure = { error };
      throw error;
    } finally {
      source.destroy();
      this.#tell();
    }
  }

  open({ start, end }: ByteRange): Readable {
    return Readable.from(this.#read(start, end), { objectMode: false, highWaterMark: step });
  }

  #tell(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<undefined>();
    resolve(undefined);
  }

  async *#read(start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
    let at = start;
    while (at < end) {
      // Before the question, or a change in between would be missed.
      const changed = this.#change.promise;
      if (this.#isDone) {
        yield* await this.#content.openStream(this.#descriptor.digest, { start: at, end });
        return;
      }
      if (this.#failure) throw this.#failure.error;
      const data = await this.#peek(at, Math.min(this.#received, end - 1));
      if (data.length === 0) await changed;
      else yield data;
      at += data.length;
    }
  }

  async #peek(at: number, end: number): Promise<Uint8Array> {
    if (at >= end) return new Uint8Array();
    try {
      return await this.#ingest.read(at, Math.min(step, end - at));
    } catch {
      // It came to its end meanwhile, one way or the other: the change tells which.
      return new Uint8Array();
    }
  }
}
