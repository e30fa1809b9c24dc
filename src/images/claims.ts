import type { BlobInfo, ContentStore, Ingest } from '#content';
import { isKind } from '#kernel';
import type { LeaseItem, LeaseKind, Leases } from '#metadata';
import { isDigest, type Digest } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { ImageIndex } from './image-index.ts';

/**
 * What one operation relies on. When it is disposed, everything it held that no image has come to need and nothing
 * else holds is removed: so a failure leaves nothing, and success keeps what is named.
 */
export interface Claim extends AsyncDisposable {
  /** From here on the blob stays, if it is there or once it is; resolves when a removal under way is over. */
  blob(digest: Digest): Promise<void>;
  /** The same for a snapshot. */
  snapshot(key: string): Promise<void>;
  /** The same for many at once. */
  all(held: { readonly blobs: Iterable<Digest>; readonly snapshots: Iterable<string> }): Promise<void>;
  /** Commits an ingest whose digest is not known before; the blob is held from its first moment. */
  land(ingest: Ingest): Promise<BlobInfo>;
  /** The operation was interrupted: what it held stays for a while, for the next one of its name. */
  keep(): void;
}

/** Who else needs blobs and layers; asked before each removal. */
export interface LayerHolder {
  holdsBlob(digest: Digest): boolean;
  /** By chainID. */
  holdsChain(id: Digest): boolean;
}

const nobody: LayerHolder = { holdsBlob: () => false, holdsChain: () => false };

/** Nanoseconds for which what an interrupted operation held stays, unless it says otherwise. */
const usuallyKeptFor = 3_600_000_000_000n;

/** Settles who may use and who may remove a blob or a snapshot, on top of the leases that outlast a crash. */
export class Claims {
  readonly #leases: Leases;
  readonly #index: ImageIndex;
  readonly #content: ContentStore;
  readonly #snapshots: Snapshotter;
  readonly #others: LayerHolder;
  readonly #removing = new Map<string, Promise<void>>();
  readonly #landing = new Set<Promise<unknown>>();
  readonly #open = new Set<Promise<unknown>>();

  constructor(
    leases: Leases,
    index: ImageIndex,
    content: ContentStore,
    snapshots: Snapshotter,
    others: LayerHolder = nobody,
  ) {
    this.#others = others;
    this.#leases = leases;
    this.#index = index;
    this.#content = content;
    this.#snapshots = snapshots;
  }

  /** `name`: what the operation is, where another one of the name can go on with what it leaves when interrupted. */
  open(name?: string, keptFor = usuallyKeptFor): Claim {
    const lease = this.#leases.open(name === undefined ? undefined : { name, keptFor });
    const closed = Promise.withResolvers<undefined>();
    this.#open.add(closed.promise);
    const held: Record<LeaseKind, Set<string>> = { blob: new Set(), snapshot: new Set() };
    for (const { kind, key } of lease.inherited) held[kind].add(key);
    const hold = async (...items: readonly LeaseItem[]): Promise<void> => {
      const added = items.filter(({ kind, key }) => !held[kind].has(key));
      if (added.length > 0) lease.addAll(added);
      for (const { kind, key } of added) held[kind].add(key);
      if (this.#removing.size === 0) return;
      for (const { kind, key } of items) await this.#removing.get(`${kind} ${key}`);
    };
    const land = async (ingest: Ingest): Promise<BlobInfo> => {
      await Promise.all(this.#removing.values());
      const info = await ingest.commit();
      await hold({ kind: 'blob', key: info.digest });
      return info;
    };
    return {
      blob: (digest) => hold({ kind: 'blob', key: digest }),
      snapshot: (key) => hold({ kind: 'snapshot', key }),
      all: ({ blobs, snapshots }) => {
        const items = (kind: LeaseKind, keys: Iterable<string>): readonly LeaseItem[] =>
          [...keys].map((key) => ({ kind, key }));
        return hold(...items('blob', blobs), ...items('snapshot', snapshots));
      },
      land: (ingest) => this.#whileLanding(() => land(ingest)),
      keep: () => {
        if (held.blob.size > 0) lease.keep();
      },
      [Symbol.asyncDispose]: async () => {
        try {
          lease[Symbol.dispose]();
          // Blobs first: on a full disk they give the room in which snapshots can be struck off the records.
          for (const digest of held.blob) if (isDigest(digest)) await this.sweepBlob(digest);
          // A child was held after its parent.
          for (const key of [...held.snapshot].reverse()) if (isDigest(key)) await this.sweepSnapshot(key);
        } finally {
          this.#open.delete(closed.promise);
          closed.resolve(undefined);
        }
      },
    };
  }

  /** Resolves once no claim is open: no operation is under way. */
  async idle(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  async #whileLanding<T>(task: () => Promise<T>): Promise<T> {
    const running = task();
    const settled = running.catch(() => undefined);
    this.#landing.add(settled);
    try {
      return await running;
    } finally {
      this.#landing.delete(settled);
    }
  }

  /** Removes a blob that nothing holds; returns whether it did. */
  async sweepBlob(digest: Digest): Promise<boolean> {
    if (this.#isHeld(digest)) return false;
    // What is landing has no lease yet, and may be this very blob.
    while (this.#landing.size > 0) await Promise.all(this.#landing);
    if (this.#isHeld(digest) || this.#leases.items('blob').has(digest)) return false;
    await this.#remove(`blob ${digest}`, () => this.#content.remove(digest));
    return true;
  }

  /** Removes a committed snapshot that no image, lease or other snapshot needs; returns whether it did. */
  async sweepSnapshot(chainId: Digest): Promise<boolean> {
    if (this.#index.holdsChain(chainId) || this.#others.holdsChain(chainId)) return false;
    if (this.#leases.items('snapshot').has(chainId)) return false;
    if (!this.#snapshots.find(chainId)) return false;
    try {
      await this.#remove(`snapshot ${chainId}`, () => this.#snapshots.remove(chainId));
      return true;
    } catch (error) {
      if (isKind(error, 'conflict')) return false;
      throw error;
    }
  }

  #isHeld(digest: Digest): boolean {
    return this.#index.holdsBlob(digest) || this.#others.holdsBlob(digest);
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
