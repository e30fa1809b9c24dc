import type { Archiver } from '#archive';
import type { ContentStore } from '#content';
import { KeyedLock } from '#kernel';
import { mediaTypes } from '#oci';
import type { Claim } from './claims.ts';
import type { BuiltLayer } from './layer-stack.ts';

export interface LayerClampingOptions {
  readonly content: ContentStore;
  readonly archiver: Archiver;
}

/** Makes layers in which nothing is later than a time. */
export class LayerClamping {
  readonly #options: LayerClampingOptions;
  readonly #locks = new KeyedLock();
  /** What was made since the daemon began, by layer and time; it may be gone by now. */
  readonly #made = new Map<string, Pick<BuiltLayer, 'diffId' | 'blob'>>();

  constructor(options: LayerClampingOptions) {
    this.#options = options;
  }

  /** `latest`: nanoseconds. The layer is held by the claim. */
  async clamp(layer: BuiltLayer, latest: bigint, claim: Claim, signal: AbortSignal): Promise<BuiltLayer> {
    const { content, archiver } = this.#options;
    const key = `${layer.diffId} ${latest}`;
    using _lock = await this.#locks.acquire(key, { signal });
    const known = this.#made.get(key);
    if (known) {
      await claim.blob(known.blob.digest);
      if (await content.find(known.blob.digest)) return { ...layer, ...known };
    }
    const path = await content.pathOfWhole(layer.blob.digest);
    const { stream, done } = archiver.clampTimes({ path }, { latest, signal });
    // Awaited below; a failure of the stream is seen there first.
    done.catch(() => undefined);
    await using ingest = await content.ingest();
    for await (const chunk of stream as AsyncIterable<Uint8Array>) await ingest.write(chunk);
    const { diffId } = await done;
    const blob = { mediaType: mediaTypes.dockerLayer, ...(await claim.land(ingest)) };
    this.#made.set(key, { diffId, blob });
    return { ...layer, diffId, blob };
  }
}
