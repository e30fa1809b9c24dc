import { integer, text, type Database, type Row } from '#metadata';
import { parseDigest, type Digest } from '#oci';
import type { ManifestState, RepositoryState, TagState } from './retention/plan.ts';

/** What one repository comes to. */
export interface RepositorySummary {
  readonly name: string;
  readonly tags: number;
  readonly manifests: number;
  /** bytes */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly pushedAt: bigint;
}

/** Counts over a whole registry. */
export interface Totals {
  readonly repositories: number;
  readonly tags: number;
  readonly manifests: number;
  /** Bytes of distinct blobs and manifests. */
  readonly bytes: number;
}

const used = `
  (SELECT coalesce(sum(size), 0) FROM blobs WHERE repository = r.id AND released = 0) +
  (SELECT coalesce(sum(size), 0) FROM manifests WHERE repository = r.id)`;

/** Reads what repositories hold, and how much. */
export class Inventory {
  readonly #db: Database;
  #totals: { readonly at: number; readonly value: Totals } | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  transaction<T>(body: () => T): T {
    return this.#db.transaction(body);
  }

  /** Of all repositories, in order. */
  names(): readonly string[] {
    return this.#db.all('SELECT name FROM repositories ORDER BY name').map((row) => text(row, 'name'));
  }

  /** Bytes that a repository holds, without those that only wait for collection. */
  used(repository: string): number {
    const row = this.#db.find(`SELECT ${used} AS size FROM repositories r WHERE name = ?`, repository);
    return row ? count(row, 'size') : 0;
  }

  counts(repository: string, digest: Digest): boolean {
    return (
      this.#db.find(
        'SELECT 1 AS one FROM blobs b JOIN repositories r ON r.id = b.repository WHERE r.name = ? AND b.digest = ? AND released = 0',
        repository,
        digest,
      ) !== undefined
    );
  }

  /** undefined: there is nothing in a repository of that name. */
  summary(repository: string): RepositorySummary | undefined {
    const row = this.#db.find(
      `SELECT name, ${used} AS size,
         (SELECT count(*) FROM tags WHERE repository = r.id) AS tags,
         (SELECT count(*) FROM manifests WHERE repository = r.id) AS manifests,
         (SELECT coalesce(max(pushed_at), 0) FROM manifests WHERE repository = r.id) AS pushed_at
       FROM repositories r WHERE name = ?`,
      repository,
    );
    if (!row || count(row, 'manifests') === 0) return undefined;
    return {
      name: text(row, 'name'),
      tags: count(row, 'tags'),
      manifests: count(row, 'manifests'),
      size: count(row, 'size'),
      pushedAt: integer(row, 'pushed_at'),
    };
  }

  /** As of half a minute ago at most: what looks at everything is not done with each request. */
  totals(): Totals {
    const now = performance.now();
    if (!this.#totals || now - this.#totals.at > 30_000) this.#totals = { at: now, value: this.#count() };
    return this.#totals.value;
  }

  #count(): Totals {
    const row =
      this.#db.find(
        `SELECT (SELECT count(DISTINCT repository) FROM manifests) AS repositories,
           (SELECT count(*) FROM tags) AS tags,
           (SELECT count(*) FROM manifests) AS manifests,
           (SELECT coalesce(sum(size), 0) FROM (SELECT max(size) AS size FROM blobs GROUP BY digest)) +
           (SELECT coalesce(sum(size), 0) FROM (SELECT max(size) AS size FROM manifests GROUP BY digest)) AS bytes`,
      ) ?? {};
    return {
      repositories: count(row, 'repositories'),
      tags: count(row, 'tags'),
      manifests: count(row, 'manifests'),
      bytes: count(row, 'bytes'),
    };
  }

  /** Bytes of a manifest and everything that it needs, children of an index too; each counted once. */
  closureSize(repository: string, digest: Digest): number {
    const row = this.#db.find(
      `WITH RECURSIVE
         r AS (SELECT id FROM repositories WHERE name = ?),
         needed(digest) AS (
           SELECT ? UNION SELECT m.digest FROM needed n CROSS JOIN r
             CROSS JOIN manifest_references m ON m.repository = r.id AND m.manifest = n.digest)
       SELECT
         (SELECT coalesce(sum(size), 0) FROM needed n CROSS JOIN r
            CROSS JOIN blobs b ON b.repository = r.id AND b.digest = n.digest) +
         (SELECT coalesce(sum(size), 0) FROM needed n CROSS JOIN r
            CROSS JOIN manifests m ON m.repository = r.id AND m.digest = n.digest)
         AS size`,
      repository,
      digest,
    );
    return row ? count(row, 'size') : 0;
  }

  /** Everything that any repository holds, with its size in bytes. */
  digests(): ReadonlyMap<string, number> {
    const rows = this.#db.all('SELECT digest, size FROM blobs UNION SELECT digest, size FROM manifests');
    return new Map(rows.map((row) => [text(row, 'digest'), count(row, 'size')]));
  }

  /** For retention rules: everything that decides over what stays. */
  state(repository: string): RepositoryState {
    const references = new Map<string, Digest[]>();
    const rows = this.#db.all(
      `SELECT r.manifest, r.digest FROM manifest_references r
         JOIN manifests m ON m.repository = r.repository AND m.digest = r.digest
       WHERE r.repository = (SELECT id FROM repositories WHERE name = ?)`,
      repository,
    );
    for (const row of rows) {
      const list = references.get(text(row, 'manifest')) ?? [];
      list.push(parseDigest(text(row, 'digest')));
      references.set(text(row, 'manifest'), list);
    }
    const manifests = this.#db
      .all(
        'SELECT digest, subject, pushed_at FROM manifests JOIN repositories r ON r.id = repository WHERE name = ?',
        repository,
      )
      .map((row): [Digest, ManifestState] => [
        parseDigest(text(row, 'digest')),
        {
          pushedAt: integer(row, 'pushed_at'),
          subject: row['subject'] === null ? undefined : parseDigest(text(row, 'subject')),
          references: references.get(text(row, 'digest')) ?? [],
        },
      ]);
    return { repository, tags: this.tags(repository), manifests: new Map(manifests) };
  }

  /** Of a repository, those pushed last first. */
  tags(repository: string): readonly TagState[] {
    return this.#db
      .all(
        `SELECT t.name, t.digest, t.updated_at, m.pulled_at FROM tags t JOIN repositories r ON r.id = t.repository
           JOIN manifests m ON m.repository = t.repository AND m.digest = t.digest
         WHERE r.name = ? ORDER BY t.updated_at DESC, t.name`,
        repository,
      )
      .map(tagOf);
  }

  /** Somebody asked for a manifest. Written down once a minute at most. */
  notePull(repository: string, digest: Digest, now: bigint): void {
    this.#db.relaxed(() =>
      this.#db.run(
        `UPDATE manifests SET pulled_at = ? WHERE repository = (SELECT id FROM repositories WHERE name = ?)
           AND digest = ? AND coalesce(pulled_at, 0) < ?`,
        now,
        repository,
        digest,
        now - 60_000_000_000n,
      ),
    );
  }
}

const count = (row: Row, column: string): number => Number(integer(row, column));

const tagOf = (row: Row): TagState => ({
  name: text(row, 'name'),
  digest: parseDigest(text(row, 'digest')),
  pushedAt: integer(row, 'updated_at'),
  pulledAt: row['pulled_at'] === null ? undefined : integer(row, 'pulled_at'),
});
