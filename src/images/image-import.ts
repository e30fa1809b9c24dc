import { decompress } from '#archive';
import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { formatTime, type Clock } from '#kernel';
import { mediaTypes, type Digest, type ImageConfig, type Platform } from '#oci';
import type { Claims } from './claims.ts';
import { imageAttributes, publishTag } from './image-events.ts';
import { tagNameOf } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import type { Images } from './images.ts';

export interface ImageImportOptions {
  readonly content: ContentStore;
  readonly claims: Claims;
  readonly intake: ImageIntake;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly platform: Platform;
  readonly engineVersion?: string;
}

/** `docker import`: a root file system becomes an image of one layer, kept uncompressed. */
export class ImageImport {
  readonly #options: ImageImportOptions;

  constructor(options: ImageImportOptions) {
    this.#options = options;
  }

  async import(
    archive: AsyncIterable<Uint8Array>,
    options: Parameters<Images['import']>[1],
  ): Promise<Digest> {
    const { content, claims, intake, clock, events, engineVersion } = this.#options;
    const { signal, reference } = options;
    // A bad name is told before anything is read.
    const names = reference === undefined ? [] : [tagNameOf(reference)];
    const platform = options.platform ?? this.#options.platform;
    await using claim = claims.open();
    await using ingest = await content.ingest();
    const { stream } = await decompress(archive, { signal });
    for await (const chunk of stream) {
      signal.throwIfAborted();
      await ingest.write(chunk);
    }
    const { digest, size } = await claim.land(ingest);
    const created = formatTime(clock.now());
    const comment = options.message ?? 'Imported from -';
    const config: ImageConfig = {
      ...platform,
      config: options.config ?? {},
      created,
      ...(engineVersion !== undefined && { docker_version: engineVersion }),
      history: [{ created, comment }],
      rootfs: { type: 'layers', diff_ids: [digest] },
    };
    const bytes = Buffer.from(JSON.stringify(config));
    const configuration = await intake.put(claim, mediaTypes.dockerConfig, bytes);
    const target = await intake.putManifest(claim, configuration, [
      { mediaType: mediaTypes.dockerLayer, digest, size },
    ]);
    const { record, model } = await intake.admit(target, { names, given: 'hand', platform, claim, signal });
    for (const name of names) publishTag(events, model, name);
    events.publish('image', 'import', record.id, imageAttributes(record.id, model.config));
    return record.id;
  }
}
