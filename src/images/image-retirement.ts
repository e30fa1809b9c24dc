import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { conflict, shortId } from '#kernel';
import type { Digest } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { Claims } from './claims.ts';
import { imageAttributes, publishTag } from './image-events.ts';
import { familiar, isDigestName, noSuchImage, type ImageIndex } from './image-index.ts';
import { sweepImage, type ImageUser } from './image-removal.ts';
import type { DiscardedImage, ImageHolding, ImageUpkeep } from './image-upkeep.ts';
import type { RemovedImage } from './images.ts';
import type { ImageModel } from './stored-image.ts';

export interface ImageRetirementOptions {
  readonly index: ImageIndex;
  readonly claims: Claims;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly events: EventSink;
  users(image: Digest): readonly ImageUser[];
}

/** Blocks of the file systems that a store is likely to lie on. */
const block = 4096;

/** Images on their way out: into the bin, out of it, and gone. */
export class ImageRetirement implements ImageUpkeep {
  readonly #options: ImageRetirementOptions;

  constructor(options: ImageRetirementOptions) {
    this.#options = options;
  }

  holdings(): readonly ImageHolding[] {
    const { index } = this.#options;
    const live = index.images().map(({ record, model }): ImageHolding => {
      const { id, tags, digests, lastTaggedAt } = record;
      return { id, names: [...tags, ...digests], tags, ...neededBy(model), lastTaggedAt };
    });
    const retired = [...index.allRetired()].map(({ model, names: named, at, batch }): ImageHolding => {
      const names = [...named.keys()].sort();
      const tags = names.filter((name) => !isDigestName(name)).map(familiar);
      const all = names.map(familiar);
      return {
        id: model.id,
        names: all,
        tags,
        ...neededBy(model),
        lastTaggedAt: undefined,
        retired: { at, batch },
      };
    });
    return [...live, ...retired];
  }

  retire(id: Digest, batch: string): readonly RemovedImage[] {
    const { index } = this.#options;
    const model = this.#unused(id);
    const names = index.namesOf(id);
    index.retire(id, batch);
    this.#tellRemoved(model, names.length);
    const removed = [...names.map((name) => ({ Untagged: familiar(name) })), { Deleted: id }];
    return [...removed, ...this.#unusedLayers(model).map((chainId) => ({ Deleted: chainId }))];
  }

  reinstate(id: Digest): ReturnType<ImageUpkeep['reinstate']> {
    const { index, events } = this.#options;
    const retired = index.retired(id);
    if (!retired) throw noSuchImage(id);
    const names = index.reinstate(id);
    for (const name of names) if (!isDigestName(name)) publishTag(events, retired.model, name);
    const taken = [...retired.names.keys()].filter((name) => !names.includes(name));
    return { names: names.map(familiar), taken: taken.map(familiar) };
  }

  async discard(id: Digest, reason?: string): Promise<DiscardedImage> {
    const { index, claims, content, snapshots } = this.#options;
    const retired = index.retired(id);
    const model = retired?.model ?? this.#unused(id);
    const names = retired ? [] : index.namesOf(id);
    index.remove(names, [id]);
    if (!retired) this.#tellRemoved(model, names.length, reason);
    const { removed, bytes } = await sweepImage(model, claims, {
      layer: async (chainId) => (snapshots.find(chainId) ? snapshots.disk(chainId).catch(() => 0) : 0),
      blob: async (digest) => Math.ceil(((await content.find(digest))?.size ?? 0) / block) * block,
    });
    const untagged = names.map((name) => ({ Untagged: familiar(name) }));
    return { removed: [...untagged, { Deleted: id }, ...removed], bytes };
  }

  #unused(id: Digest): ImageModel {
    const model = this.#options.index.byId(id)?.model;
    if (!model) throw noSuchImage(id);
    const [user] = this.#options.users(id);
    if (!user) return model;
    const container = shortId(user.containerId);
    throw conflict(
      `conflict: unable to delete ${shortId(id)} - image is being used by container ${container}`,
    );
  }

  /** The layers, from the top, that only images in the bin need. */
  #unusedLayers({ chainIds }: ModelLayers): readonly Digest[] {
    const { index, snapshots } = this.#options;
    const used = new Set(snapshots.list().flatMap(({ kind, parent }) => (kind === 'active' ? parent : [])));
    const fromTop = chainIds.toReversed();
    const first = fromTop.findIndex((chainId) => index.usesChain(chainId) || used.has(chainId));
    return first < 0 ? fromTop : fromTop.slice(0, first);
  }

  #tellRemoved({ id, config }: ImageModel, names: number, reason?: string): void {
    const { events } = this.#options;
    const attributes = imageAttributes(id, config);
    for (let n = 0; n < names; n += 1) events.publish('image', 'untag', id, attributes);
    // Its labels are gone with it.
    const gone = imageAttributes(id);
    events.publish('image', 'delete', id, { ...gone, ...(reason !== undefined && { reason }) });
  }
}

type ModelLayers = Pick<ImageModel, 'chainIds'>;

const neededBy = ({ chainIds, blobs }: ImageModel): Pick<ImageHolding, 'chainIds' | 'blobs'> => ({
  chainIds,
  blobs,
});
