import type { Readable } from 'node:stream';
import type { Archiver } from '#archive';
import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import {
  canonicalString,
  parseReference,
  withDigest,
  type Descriptor,
  type Digest,
  type Platform,
} from '#oci';
import type { Claim } from './claims.ts';
import { imageAttributes, publishTag } from './image-events.ts';
import { tagNameOf, type ImageName } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import type { ImagePush } from './image-push.ts';
import type { ImageRecord, TransferOptions } from './images.ts';
import type { LayerClamping } from './layer-clamping.ts';
import type { LayerCompression, LayerForm } from './layer-compression.ts';
import type { BuiltLayer, LayerStack } from './layer-stack.ts';

interface Cancellable {
  readonly signal: AbortSignal;
}

/** What is made of a build: documents, layers in other forms, images in the store and in registries. */
export interface ImageOutputs {
  /** A document, held until the build is over. */
  put(mediaType: string, data: Uint8Array): Promise<Descriptor>;
  /** A blob of bytes that come one after the other, held as well. */
  store(mediaType: string, bytes: AsyncIterable<Uint8Array>): Promise<Descriptor>;
  /** The layer's blob in another form; by Docker's media types where they have one. */
  convert(layer: BuiltLayer, form: LayerForm, options: Cancellable): Promise<Descriptor>;
  /** The layers from the `first` one on with no file later than a time, in nanoseconds. */
  clampTimes(layers: LayerStack, first: number, latest: bigint, options: Cancellable): Promise<LayerStack>;
  /** Makes an image of a manifest or an index whose content is held, under names and as `name@digest`. */
  admit(
    target: Descriptor,
    options: Cancellable & {
      readonly names: readonly string[];
      readonly canonicalNames: readonly string[];
      readonly platform: Platform;
      /** The image's manifest in the target. */
      readonly manifest: Descriptor;
      /** An image with the same configuration that is here already gets this manifest. */
      readonly replaces: boolean;
    },
  ): Promise<ImageRecord>;
  /** Sends a manifest or an index with everything in it. */
  push(
    target: Descriptor,
    name: string,
    options: Pick<TransferOptions, 'auth' | 'signal'> & { readonly byDigest: boolean },
  ): Promise<void>;
  /** A blob that is held, from an offset on. */
  open(digest: Digest, offset?: number): Promise<Readable>;
}

export interface ImageOutputsOptions {
  readonly content: ContentStore;
  readonly archiver: Archiver;
  readonly intake: ImageIntake;
  readonly compression: LayerCompression;
  readonly clamping: LayerClamping;
  readonly push: ImagePush;
  readonly events: EventSink;
}

/** The name `repository@digest` under which an image is kept. */
const canonicalNameOf = (name: string, digest: Digest): ImageName =>
  canonicalString(withDigest(parseReference(name), digest));

export class LocalImageOutputs implements ImageOutputs {
  readonly #options: ImageOutputsOptions;
  readonly #claim: Claim;

  constructor(options: ImageOutputsOptions, claim: Claim) {
    this.#options = options;
    this.#claim = claim;
  }

  put(mediaType: string, data: Uint8Array): Promise<Descriptor> {
    return this.#options.intake.put(this.#claim, mediaType, data);
  }

  async store(mediaType: string, bytes: AsyncIterable<Uint8Array>): Promise<Descriptor> {
    await using ingest = await this.#options.content.ingest();
    for await (const chunk of bytes) await ingest.write(chunk);
    return { mediaType, ...(await this.#claim.land(ingest)) };
  }

  convert({ blob, diffId }: BuiltLayer, form: LayerForm, { signal }: Cancellable): Promise<Descriptor> {
    return this.#options.compression.convert(blob, { diffId, form, claim: this.#claim, signal });
  }

  async clampTimes(
    layers: LayerStack,
    first: number,
    latest: bigint,
    { signal }: Cancellable,
  ): Promise<LayerStack> {
    const clamped: BuiltLayer[] = [];
    for (const layer of layers.slice(first)) {
      clamped.push(await this.#options.clamping.clamp(layer, latest, this.#claim, signal));
    }
    return [...layers.slice(0, first), ...clamped];
  }

  async admit(target: Descriptor, options: Parameters<ImageOutputs['admit']>[1]): Promise<ImageRecord> {
    const { intake, events } = this.#options;
    const { names, canonicalNames, ...rest } = options;
    const tags = names.map(tagNameOf);
    const digests = canonicalNames.map((name) => canonicalNameOf(name, target.digest));
    const { record, model } = await intake.admit(target, {
      ...rest,
      names: [...tags, ...digests],
      given: 'hand',
      claim: this.#claim,
    });
    events.publish('image', 'create', record.id, imageAttributes(record.id, model.config));
    for (const name of tags) publishTag(events, model, name);
    return record;
  }

  push(target: Descriptor, name: string, options: Parameters<ImageOutputs['push']>[2]): Promise<void> {
    return this.#options.push.pushContent(target, name, { ...options, report: () => undefined });
  }

  open(digest: Digest, offset = 0): Promise<Readable> {
    return this.#options.content.openStream(digest, { start: offset });
  }
}
