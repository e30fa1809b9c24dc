import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { invalidArgument, notFound, shortId, type Clock } from '#kernel';
import {
  chainIds,
  familiarName,
  familiarString,
  isIndex,
  mediaTypes,
  parseManifest,
  parseReference,
  type Descriptor,
  type Platform,
} from '#oci';
import type { Snapshotter } from '#snapshots';
import { AwaitedBlobs } from './awaited-blobs.ts';
import type { BlobDownloads } from './blob-downloads.ts';
import type { Claim, Claims } from './claims.ts';
import { imageAttributes } from './image-events.ts';
import type { ImageHandover, ImageOffer, ReceiveOptions } from './image-handover.ts';
import { isDigestName, type ImageIndex } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import { ReceivedLayer } from './received-layer.ts';
import { readConfig } from './stored-image.ts';

export interface ImageReceiptOptions {
  readonly content: ContentStore;
  readonly index: ImageIndex;
  readonly snapshots: Snapshotter;
  readonly claims: Claims;
  readonly intake: ImageIntake;
  readonly downloads: BlobDownloads;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly platform: Platform;
}

/** Blobs up to this size are asked for first: among them are all documents, which are no larger. */
const documentLimit = 4 << 20;

/** The receiving end of ImageHandover. */
export class ImageReceipt implements Pick<ImageHandover, 'receive' | 'deliver'> {
  readonly #options: ImageReceiptOptions;
  readonly #open = new Map<string, AwaitedBlobs>();

  constructor(options: ImageReceiptOptions) {
    this.#options = options;
  }

  deliver: ImageHandover['deliver'] = async ({ receipt, digest, offset }, bytes) => {
    const source = this.#open.get(receipt);
    if (!source) throw notFound(`no such receipt: ${receipt}`);
    await source.deliver(digest, offset, bytes);
  };

  receive: ImageHandover['receive'] = async (offer, options) => {
    const source = new AwaitedBlobs((blob) => options.want(blob));
    await using claim = this.#options.claims.open(`receive ${offer.target.digest}`);
    this.#open.set(source.receipt, source);
    try {
      await this.#take(offer, source, claim, options);
    } catch (error) {
      // The sender has gone, or the daemon ends: the next receipt goes on with the layers that are whole.
      if (options.signal.aborted) claim.keep();
      throw error;
    } finally {
      this.#open.delete(source.receipt);
    }
  };

  async #take(
    offer: ImageOffer,
    source: AwaitedBlobs,
    claim: Claim,
    { signal, report, words }: ReceiveOptions,
  ): Promise<void> {
    const { downloads, intake, index, events, platform } = this.#options;
    const { target, manifest, names, layers, others } = offer;
    for (const { digest } of [target, ...layers, ...others]) await claim.blob(digest);
    const [first = names[0] ?? target.digest] = names.filter((name) => !isDigestName(name));
    const reference = names.length === 0 ? undefined : parseReference(first);
    const shown = reference ? familiarString(reference) : offer.id;
    if (words === 'push') report({ status: `The push refers to image [${shown}]` });
    else report({ status: `Pulling ${shown}` });
    const abort = new AbortController();
    const inner = AbortSignal.any([signal, abort.signal]);
    const fetch = (blob: Pick<Descriptor, 'digest' | 'size'>): Promise<void> =>
      downloads.fetch(source, { mediaType: mediaTypes.ociEmpty, ...blob }, { signal: inner });
    const tasks: Promise<unknown>[] = [];
    try {
      tasks.push(...others.filter(({ size }) => size <= documentLimit).map(fetch));
      await Promise.all(tasks);
      const present = await this.#checkLayers(offer);
      const lines = layers.map(
        (layer, n) =>
          new ReceivedLayer(layer, {
            present: present[n] === true,
            clock: this.#options.clock,
            report,
            words,
          }),
      );
      for (const line of lines) line.begin();
      const arrivals = lines.map((line) => line.arrive(downloads, source, inner));
      const watcher = {
        ready: async (n: number) => arrivals[n],
        started: (n: number) => lines[n]?.extracting(),
        finished: (n: number) => lines[n]?.finished(),
      };
      tasks.push(...arrivals, ...others.filter(({ size }) => size > documentLimit).map(fetch));
      // Nothing is unpacked, and so nothing waits for layers, where the image is here with another manifest.
      if (index.byId(offer.id)) await Promise.all(tasks);
      const replaces = true;
      const admitted = { manifest, names, platform, claim, signal: inner, watcher, replaces };
      const admission = intake.admit(target, admitted);
      tasks.push(admission);
      await Promise.all(tasks);
      const { model } = await admission;
      events.publish(
        'image',
        'load',
        model.id,
        imageAttributes(reference ? familiarName(reference) : model.id, model.config),
      );
    } catch (error) {
      abort.abort(error);
      await Promise.allSettled(tasks);
      throw error;
    }
    report({
      status: `${reference?.tag ?? shortId(offer.id)}: digest: ${target.digest} size: ${target.size}`,
    });
  }

  /** The documents must say what the offer says. For each layer, whether it is here and unpacked. */
  async #checkLayers(offer: ImageOffer): Promise<readonly boolean[]> {
    const { content, snapshots } = this.#options;
    const manifest = parseManifest(await content.read(offer.manifest.digest));
    const isSame =
      (isIndex(offer.target.mediaType) || offer.target.digest === offer.manifest.digest) &&
      manifest.config.digest === offer.id &&
      manifest.layers.length === offer.layers.length &&
      manifest.layers.every(({ digest, size }, n) => {
        const layer = offer.layers[n];
        return layer?.digest === digest && layer.size === size;
      });
    if (!isSame) throw invalidArgument(`the offer of image ${offer.id} does not fit its manifest`);
    const chain = chainIds((await readConfig(content, manifest)).rootfs.diff_ids);
    return Promise.all(
      offer.layers.map(
        async ({ digest }, n) =>
          snapshots.find(chain[n] ?? '') !== undefined && (await content.find(digest)) !== undefined,
      ),
    );
  }
}
