import type { EventSink } from '#events';
import { conflict, shortId } from '#kernel';
import type { Digest } from '#oci';
import type { Claims } from './claims.ts';
import {
  familiar,
  isDigestName,
  noSuchImage,
  repositoryOf,
  type ImageIndex,
  type ImageName,
} from './image-index.ts';
import type { RemovedImage } from './images.ts';
import type { ImageModel } from './stored-image.ts';
import { imageAttributes } from './image-events.ts';

/** A container that was made from an image. */
export interface ImageUser {
  readonly containerId: string;
  readonly running: boolean;
}

export interface ImageRemovalOptions {
  readonly index: ImageIndex;
  readonly claims: Claims;
  readonly events: EventSink;
  users(image: Digest): readonly ImageUser[];
}

type Obstacle = 'used' | 'named' | 'parent';

/** `docker rmi`: which names go, whether the image goes with them, and what forbids it. */
export class ImageRemoval {
  readonly #options: ImageRemovalOptions;

  constructor(options: ImageRemovalOptions) {
    this.#options = options;
  }

  /** Throws notFound, or conflict in Docker's words. What happens to names and records is one transaction. */
  async remove(reference: string, force: boolean, prune = true): Promise<readonly RemovedImage[]> {
    const { index } = this.#options;
    const found = index.resolve(reference);
    const image = found && index.byId(found.id)?.model;
    if (!found || !image) throw noSuchImage(reference);
    const names = index.namesOf(found.id);
    const parent = index.byId(found.id)?.record.parent;
    const untagged =
      found.name === undefined
        ? this.#planById(found.id, names, force)
        : this.#planByName(reference, found.name, found.id, names, force);
    const left = names.filter((name) => !untagged.includes(name));
    const deletes = found.name === undefined || (left.length === 0 && !this.#obstacle(found.id, [], force));
    const gone = deletes ? names : untagged;
    index.remove(gone, deletes ? [found.id] : []);
    const removed: RemovedImage[] = gone.map((name) => ({ Untagged: familiar(name) }));
    for (let n = 0; n < gone.length; n += 1) this.#publish('untag', image);
    if (!deletes) return removed;
    return [...removed, ...(await this.#delete(image, parent, prune))];
  }

  /** What is left to do once the record is gone; nameless parents that nothing else needs go too. */
  async #delete(
    image: ImageModel,
    parent: Digest | undefined,
    prune: boolean,
  ): Promise<readonly RemovedImage[]> {
    const { index, claims, events } = this.#options;
    // Its labels are gone with it.
    events.publish('image', 'delete', image.id, imageAttributes(image.id));
    const { removed: layers } = await sweepImage(image, claims);
    const removed = [{ Deleted: image.id }, ...layers];
    const above = prune && parent !== undefined ? index.byId(parent) : undefined;
    if (!above || index.namesOf(above.model.id).length > 0 || this.#obstacle(above.model.id, [], false)) {
      return removed;
    }
    index.remove([], [above.model.id]);
    return [...removed, ...(await this.#delete(above.model, above.record.parent, true))];
  }

  /** By id, every name goes; that needs force where they are in several repositories. */
  #planById(id: Digest, names: readonly ImageName[], force: boolean): readonly ImageName[] {
    const left = isSingleReference(names) ? [] : names;
    const obstacle = this.#obstacle(id, left, force);
    if (obstacle) throw obstacle.error;
    return names;
  }

  /** By name, that name goes, and with a repository's last tag its digests. */
  #planByName(
    reference: string,
    name: ImageName,
    id: Digest,
    names: readonly ImageName[],
    force: boolean,
  ): readonly ImageName[] {
    const [user] = this.#options.users(id);
    if (!force && user && isSingleReference(names)) {
      throw conflict(
        `conflict: unable to remove repository reference ${JSON.stringify(reference)} (must force) - ` +
          `container ${shortId(user.containerId)} is using its referenced image ${shortId(id)}`,
      );
    }
    if (isDigestName(name)) return [name];
    const repository = repositoryOf(name);
    const others = names.filter((other) => other !== name && repositoryOf(other) === repository);
    return others.every(isDigestName) ? [name, ...others] : [name];
  }

  /** What speaks against deleting the image while it has these names. */
  #obstacle(
    id: Digest,
    names: readonly ImageName[],
    force: boolean,
  ): { readonly reason: Obstacle; readonly error: Error } | undefined {
    const users = this.#options.users(id);
    const refuse = (reason: Obstacle, remedy: string, why: string): { reason: Obstacle; error: Error } => ({
      reason,
      error: conflict(`conflict: unable to delete ${shortId(id)} (${remedy}) - ${why}`),
    });
    if (this.#options.index.childrenOf(id).length > 0) {
      return refuse('parent', 'cannot be forced', 'image has dependent child images');
    }
    const running = users.find((user) => user.running);
    if (running) {
      const container = shortId(running.containerId);
      return refuse('used', 'cannot be forced', `image is being used by running container ${container}`);
    }
    if (force) return undefined;
    if (names.length > 0) {
      return refuse('named', 'must be forced', 'image is referenced in multiple repositories');
    }
    const [user] = users;
    if (!user) return undefined;
    const container = shortId(user.containerId);
    return refuse('used', 'must be forced', `image is being used by stopped container ${container}`);
  }

  #publish(action: string, image: ImageModel): void {
    this.#options.events.publish('image', action, image.id, imageAttributes(image.id, image.config));
  }
}

/**
 * Removes the layers and blobs of an image that is in no record any more, as far as nothing else needs them, from the
 * top. `measure` tells what each takes on disk; it is asked before, where bytes are wanted.
 */
export async function sweepImage(
  image: ImageModel,
  claims: Claims,
  measure?: { layer(chainId: Digest): Promise<number>; blob(digest: Digest): Promise<number> },
): Promise<{ readonly removed: readonly RemovedImage[]; readonly bytes: number }> {
  const removed: RemovedImage[] = [];
  let bytes = 0;
  for (const chainId of image.chainIds.toReversed()) {
    const size = (await measure?.layer(chainId)) ?? 0;
    if (!(await claims.sweepSnapshot(chainId))) break;
    removed.push({ Deleted: chainId });
    bytes += size;
  }
  for (const digest of image.blobs) {
    const size = (await measure?.blob(digest)) ?? 0;
    if (await claims.sweepBlob(digest)) bytes += size;
  }
  return { removed, bytes };
}

/** One tag at most, and any digests are of that tag's repository: then removing by id needs no force. */
function isSingleReference(names: readonly ImageName[]): boolean {
  const tags = names.filter((name) => !isDigestName(name)).length;
  return tags <= 1 && (names.length <= 1 || new Set(names.map(repositoryOf)).size === 1);
}
