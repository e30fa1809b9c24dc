import { integer, text, type Database } from '#metadata';

/** What copies may take; undefined: as much as there is. */
export interface CacheBudget {
  /** bytes */
  readonly size: number | undefined;
  /** Milliseconds since something was asked for last. */
  readonly age: number | undefined;
}

interface Held {
  readonly repository: bigint;
  readonly digest: string;
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly usedAt: bigint;
}

/**
 * Takes from copies what was not asked for the longest, until they are within their budget: a manifest goes with its
 * tags and with those of its blobs that no other manifest of its repository needs. It is fetched again when asked for.
 * Returns how many manifests went.
 */
export function evict(
  database: Database,
  isCopy: (repository: string) => boolean,
  budget: CacheBudget,
  now: bigint,
): number {
  const repositories = database
    .all('SELECT id, name FROM repositories')
    .filter((row) => isCopy(text(row, 'name')))
    .map((row) => integer(row, 'id'));
  const manifests = repositories
    .flatMap((repository) => manifestsOf(database, repository))
    .toSorted((one, other) => (one.usedAt < other.usedAt ? -1 : Number(one.usedAt > other.usedAt)));
  const oldest = budget.age === undefined ? 0n : now - BigInt(budget.age) * 1_000_000n;
  const limit = budget.size ?? Infinity;
  let evicted = 0;
  for (const { repository, digest, usedAt } of manifests) {
    if (usedAt >= oldest && sizeOf(database, repositories) <= limit) break;
    database.transaction(() => {
      database.run('DELETE FROM manifests WHERE repository = ? AND digest = ?', repository, digest);
      dropLoose(database, repository, now - loose);
    });
    evicted += 1;
  }
  return evicted;
}

/** Nanoseconds for which a blob stays that no manifest needs: it may have been asked for before its manifest. */
const loose = 60_000_000_000n;

/** With the time at which a manifest or one of its blobs was asked for last. */
function manifestsOf(database: Database, repository: bigint): readonly Held[] {
  return database
    .all(
      `SELECT m.digest, m.size, max(m.pushed_at, coalesce(m.pulled_at, 0), coalesce((
         SELECT max(b.used_at) FROM manifest_references r JOIN blobs b ON b.repository = r.repository AND b.digest = r.digest
         WHERE r.repository = m.repository AND r.manifest = m.digest), 0)) AS last
       FROM manifests m WHERE m.repository = ?`,
      repository,
    )
    .map((row) => ({
      repository,
      digest: text(row, 'digest'),
      size: Number(integer(row, 'size')),
      usedAt: integer(row, 'last'),
    }));
}

/** Bytes of distinct blobs and manifests; what several copies share counts once. */
function sizeOf(database: Database, repositories: readonly bigint[]): number {
  const row = database.find(
    `SELECT coalesce(sum(size), 0) AS total FROM (
       SELECT digest, size FROM blobs WHERE repository IN (SELECT value FROM json_each(?1))
       UNION SELECT digest, size FROM manifests WHERE repository IN (SELECT value FROM json_each(?1)))`,
    JSON.stringify(repositories.map(Number)),
  );
  return row ? Number(integer(row, 'total')) : 0;
}

function dropLoose(database: Database, repository: bigint, before: bigint): void {
  database.run(
    `DELETE FROM blobs WHERE repository = ? AND (released = 1 OR used_at < ?) AND NOT EXISTS (
       SELECT 1 FROM manifest_references r WHERE r.repository = blobs.repository AND r.digest = blobs.digest)`,
    repository,
    before,
  );
}
