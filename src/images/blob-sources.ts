import type { Clock } from '#kernel';
import { text, type Database } from '#metadata';
import type { Digest } from '#oci';

/** Repositories that are remembered for a blob. */
const remembered = 8;

/**
 * Which repositories hold a blob: those it was pulled from or pushed to. A push then mounts it from there, and finds
 * the content of an index's other platforms although it never was here.
 */
export class BlobSources {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** `repository`: canonical name. */
  add(digests: Iterable<Digest>, repository: string): void {
    const now = this.#clock.now();
    const insert = `INSERT INTO blob_sources (digest, repository, seen_at) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at`;
    this.#db.relaxed(() =>
      this.#db.transaction(() => {
        for (const digest of digests) this.#db.run(insert, digest, repository, now);
      }),
    );
  }

  /** Canonical names, the latest first. */
  of(digest: Digest): readonly string[] {
    const query = 'SELECT repository FROM blob_sources WHERE digest = ? ORDER BY seen_at DESC LIMIT ?';
    return this.#db.all(query, digest, remembered).map((row) => text(row, 'repository'));
  }

  /** Forgets what no image leads to any more. */
  prune(isNeeded: (digest: Digest) => boolean): void {
    // Written by add().
    const known = this.#db
      .all('SELECT DISTINCT digest FROM blob_sources')
      .map((row) => text(row, 'digest') as Digest);
    const old = known.filter((digest) => !isNeeded(digest));
    if (old.length === 0) return;
    this.#db.transaction(() => {
      for (const digest of old) this.#db.run('DELETE FROM blob_sources WHERE digest = ?', digest);
    });
  }
}
