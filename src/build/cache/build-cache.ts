import { topOf, type BuiltLayer, type LayerHolder, type LayerStack } from '#images';
import type { Clock } from '#kernel';
import { integer, text, type Database } from '#metadata';
import type { Digest } from '#oci';

/** A step that was done, and what came of it. */
export interface CacheRecord {
  readonly key: string;
  readonly layers: LayerStack;
  /** The step, for people. */
  readonly description: string;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
  readonly usedAt: bigint;
  readonly uses: number;
}

/**
 * Steps by what they were made of. What a record names stays: the image store asks before it removes a layer. Records
 * survive the death of the daemon; a loss of power may take the newest ones, and then their layers go too.
 */
export class BuildCache implements LayerHolder {
  readonly #db: Database;
  readonly #clock: Clock;
  #counted: { readonly blobs: Counts; readonly chains: Counts } | undefined;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  find(key: string): CacheRecord | undefined {
    const row = this.#db.find('SELECT * FROM build_cache WHERE key = ?', key);
    return row && read(row);
  }

  list(): readonly CacheRecord[] {
    return this.#db.all('SELECT * FROM build_cache ORDER BY used_at DESC').map(read);
  }

  /** A step done anew replaces what was known of it; several keys may stand for one. */
  put(keys: readonly string[], layers: LayerStack, description: string): void {
    const now = this.#clock.now();
    const held = this.#held;
    this.#db.relaxed(() =>
      this.#db.transaction(() => {
        for (const key of keys) {
          const before = this.find(key);
          this.#db.run(
            `INSERT INTO build_cache (key, layers, description, created_at, used_at, uses) VALUES (?, ?, ?, ?, ?, 1)
             ON CONFLICT (key) DO UPDATE SET layers = excluded.layers, created_at = excluded.created_at,
               used_at = excluded.used_at`,
            ...[key, JSON.stringify(layers), description, now, now],
          );
          count(held, layers, 1);
          if (before) count(held, before.layers, -1);
        }
      }),
    );
  }

  /** Notes that these were of use, once per build. */
  use(keys: Iterable<string>): void {
    const now = this.#clock.now();
    const statement = 'UPDATE build_cache SET used_at = ?, uses = uses + 1 WHERE key = ?';
    this.#db.relaxed(() =>
      this.#db.transaction(() => {
        for (const key of keys) this.#db.run(statement, now, key);
      }),
    );
  }

  /** Answers the layers that the records had. */
  remove(keys: Iterable<string>): readonly LayerStack[] {
    const gone: LayerStack[] = [];
    this.#db.transaction(() => {
      for (const key of keys) {
        const record = this.find(key);
        if (!record) continue;
        this.#db.run('DELETE FROM build_cache WHERE key = ?', key);
        count(this.#held, record.layers, -1);
        gone.push(record.layers);
      }
    });
    return gone;
  }

  holdsBlob(digest: Digest): boolean {
    return this.#held.blobs.has(digest);
  }

  /** Those below a layer are held by it. */
  holdsChain(id: Digest): boolean {
    return this.#held.chains.has(id);
  }

  get #held(): { readonly blobs: Counts; readonly chains: Counts } {
    if (this.#counted) return this.#counted;
    const counted = { blobs: new Map<Digest, number>(), chains: new Map<Digest, number>() };
    for (const { layers } of this.list()) count(counted, layers, 1);
    this.#counted = counted;
    return counted;
  }
}

type Counts = Map<Digest, number>;

function count(
  { blobs, chains }: { readonly blobs: Counts; readonly chains: Counts },
  layers: LayerStack,
  step: 1 | -1,
): void {
  const change = (counts: Counts, key: Digest): void => {
    const left = (counts.get(key) ?? 0) + step;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  };
  for (const { blob } of layers) change(blobs, blob.digest);
  const top = topOf(layers);
  if (top !== undefined) change(chains, top);
}

const read = (row: Parameters<typeof text>[0]): CacheRecord => ({
  key: text(row, 'key'),
  layers: JSON.parse(text(row, 'layers')) as BuiltLayer[], // written by put()
  description: text(row, 'description'),
  createdAt: integer(row, 'created_at'),
  usedAt: integer(row, 'used_at'),
  uses: Number(integer(row, 'uses')),
});
