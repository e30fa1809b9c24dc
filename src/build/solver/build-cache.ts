import type { BuiltLayer, LayerStack } from '#images';
import type { Clock } from '#kernel';
import { integer, text, type Database } from '#metadata';

/** A step that was done, and what came of it. */
export interface CacheRecord {
  readonly key: string;
  readonly layers: LayerStack;
  /** The instruction, for people. */
  readonly description: string;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
  readonly usedAt: bigint;
  readonly uses: number;
}

/**
 * Steps by what they were made of. A record may outlive its layers: whoever uses one makes sure that they are still
 * there.
 */
export class BuildCache {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  find(key: string): CacheRecord | undefined {
    const [row] = this.#db.all('SELECT * FROM build_cache WHERE key = ?', key);
    return row && read(row);
  }

  list(): readonly CacheRecord[] {
    return this.#db.all('SELECT * FROM build_cache ORDER BY used_at DESC').map(read);
  }

  /** A step done anew replaces what was known of it. */
  put(key: string, layers: LayerStack, description: string): void {
    const now = this.#clock.now();
    this.#db.run(
      `INSERT INTO build_cache (key, layers, description, created_at, used_at, uses) VALUES (?, ?, ?, ?, ?, 1)
       ON CONFLICT (key) DO UPDATE SET layers = excluded.layers, created_at = excluded.created_at,
         used_at = excluded.used_at`,
      ...[key, JSON.stringify(layers), description, now, now],
    );
  }

  use(key: string): void {
    this.#db.run('UPDATE build_cache SET used_at = ?, uses = uses + 1 WHERE key = ?', this.#clock.now(), key);
  }

  remove(key: string): void {
    this.#db.run('DELETE FROM build_cache WHERE key = ?', key);
  }
}

const read = (row: Parameters<typeof text>[0]): CacheRecord => ({
  key: text(row, 'key'),
  layers: JSON.parse(text(row, 'layers')) as BuiltLayer[], // written by put()
  description: text(row, 'description'),
  createdAt: integer(row, 'created_at'),
  usedAt: integer(row, 'used_at'),
  uses: Number(integer(row, 'uses')),
});

/** Under which name the layers of a record are held. */
export const leaseName = (key: string): string => `build cache ${key}`;
