import type { BigIntStats } from 'node:fs';
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { internal, type EngineError } from '#kernel';
import { algorithmOf, hexOf, type Digest } from '#oci';

export const damagedBlob = (digest: Digest): EngineError =>
  internal(`blob ${digest} is damaged on disk: run "wharf image verify --all --repair"`);

/** The file as it was when its bytes were right: whoever changes it without our doing changes one of these. */
const stampOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  `${ino} ${size} ${mtimeNs} ${ctimeNs}`;

/** Which blobs were seen to be whole by this process, as long as nothing touches their files. */
export class KnownGood {
  readonly #stamps = new Map<Digest, string>();

  has(digest: Digest, stats: BigIntStats): boolean {
    return this.#stamps.get(digest) === stampOf(stats);
  }

  add(digest: Digest, stats: BigIntStats): void {
    this.#stamps.set(digest, stampOf(stats));
  }

  delete(digest: Digest): void {
    this.#stamps.delete(digest);
  }

  /**
   * The blob's bytes from `start` on, and its last ones only once all turned out right: a damaged blob is never handed
   * on whole. Closes the file. Throws internal.
   */
  async *read(
    digest: Digest,
    file: FileHandle,
    start: number,
    chunkSize: number,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      const hash = createHash(algorithmOf(digest));
      let held: Buffer | undefined;
      let position = 0;
      for (;;) {
        const buffer = Buffer.allocUnsafeSlow(chunkSize);
        const { bytesRead } = await file.read(buffer, 0, chunkSize, position);
        if (bytesRead === 0) break;
        const chunk = buffer.subarray(0, bytesRead);
        hash.update(chunk);
        if (held && held.length > 0) yield held;
        held = chunk.subarray(Math.min(bytesRead, Math.max(0, start - position)));
        position += bytesRead;
      }
      if (hash.digest('hex') !== hexOf(digest)) {
        this.delete(digest);
        throw damagedBlob(digest);
      }
      this.add(digest, await file.stat({ bigint: true }));
      if (held && held.length > 0) yield held;
    } finally {
      await file.close();
    }
  }
}
