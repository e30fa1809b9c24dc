import type { BlobInfo, ContentStore, Ingest } from '#content';
import { isKind } from '#kernel';
import type { Lease, LeaseKind, Leases } from '#metadata';
import type { Digest } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { ImageIndex } from './image-index.ts';

/**
 * Settles who may use and who may remove a blob or a snapshot. An operation holds what it is about to rely on;
 * removal takes only what no image and no lease holds, and an operation that comes too late waits until it is gone.
 */
export class Claims {
  readonly #leases: Leases;
  readonly #index: ImageIndex;
  readonly #content: ContentStore;
  readonly #snapshots: Snapshotter;
  readonly #removing = new Map<string, Promise<void>>();
  #landing = 0;

  constructor(leases: Leases, index: ImageIndex, content: ContentStore, snapshots: Snapshotter) {
    this.#leases = leases;
    this.#index = index;
    this.#content = content;
    this.#snapshots = snapshots;
  }

  open(): Lease {
    return this.#leases.open();
  }

  /** From here until the lease ends the blob or snapshot stays, if it is there or once it is. */
  async hold(lease: Lease, kind: LeaseKind, key: string): Promise<void> {
    lease.add(kind, key);
    await this.#removing.get(`${kind} ${key}`);
  }

  /** Commits an ingest whose digest is not known before; the lease holds the blob from its first moment. */
  async land(lease: Lease, ingest: Ingest): Promise<BlobInfo> {
    this.#landing += 1;
    try {
      await Promise.all(this.#removing.values());
      const info = await ingest.commit();
      lease.add('blob', info.digest);
      return info;
    } finally {
      this.#landing -= 1;
    }
  }

  /** Removes a blob that nothing holds; returns whether it did. */
  async sweepBlob(digest: Digest): Promise<boolean> {
    // What is landing has no lease yet: the next sweep will see.
    if (this.#landing > 0 || this.#index.holdsBlob(digest) || this.#leases.items('blob').has(digest))
      return false;
    await this.#remove(`blob ${digest}`, () => this.#content.remove(digest));
    return true;
  }

  /** Removes a committed snapshot that no image, lease or other snapshot needs; returns whether it did. */
  async sweepSnapshot(chainId: Digest): Promise<boolean> {
    if (this.#index.holdsChain(chainId) || this.#leases.items('snapshot').has(chainId)) return false;
    if (!this.#snapshots.find(chainId)) return false;
    try {
      await this.#remove(`snapshot ${chainId}`, () => this.#snapshots.remove(chainId));
      return true;
    } catch (error) {
      if (isKind(error, 'conflict')) return false;
      throw error;
    }
  }

  async #remove(key: string, remove: () => Promise<void>): Promise<void> {
    const removed = remove();
    this.#removing.set(
      key,
      removed.catch(() => undefined),
    );
    try {
      await removed;
    } finally {
      this.#removing.delete(key);
    }
  }
}
