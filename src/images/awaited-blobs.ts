import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { conflict, newId, notFound } from '#kernel';
import type { Descriptor, Digest } from '#oci';
import type { WantedBlob } from './image-handover.ts';

interface Wait {
  readonly offset: number;
  resolve(bytes: Readable): void;
}

/** A source of blobs that cannot be asked directly: each is wanted aloud, and comes when somebody brings it. */
export class AwaitedBlobs {
  readonly receipt = newId();
  readonly #waits = new Map<Digest, Wait>();
  readonly #want: (blob: WantedBlob) => void;

  constructor(want: (blob: WantedBlob) => void) {
    this.#want = want;
  }

  /** The bytes from `offset` on, once they come. */
  async fetchBlob(
    { digest }: Descriptor,
    { signal, offset = 0 }: { signal: AbortSignal; offset?: number },
  ): Promise<Readable> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Readable>();
    const leave = (): void => {
      // At once: what is brought from here on would be taken by nobody.
      this.#waits.delete(digest);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waits.set(digest, { offset, resolve });
    try {
      this.#want({ receipt: this.receipt, digest, offset });
      return await promise;
    } finally {
      this.#waits.delete(digest);
      signal.removeEventListener('abort', leave);
    }
  }

  /** Resolves once the bytes are taken, or left; a rejection leaves them to the caller. Throws notFound, or conflict for bytes from elsewhere in the blob. */
  async deliver(digest: Digest, offset: number, bytes: Readable): Promise<void> {
    const wait = this.#waits.get(digest);
    if (!wait) throw notFound(`nobody waits for blob ${digest}`);
    if (wait.offset !== offset) {
      throw conflict(`blob ${digest} is wanted from byte ${wait.offset}, not from ${offset}`);
    }
    this.#waits.delete(digest);
    const taken = finished(bytes);
    wait.resolve(bytes);
    await taken;
  }
}
