import { Database, integer, text, type Row } from '#metadata';
import type { Clock } from '#kernel';
import { parseDigest, type Descriptor, type Digest } from '#oci';
import { blobUnknown, manifestBlobUnknown, manifestInvalid, manifestUnknown } from './registry-error.ts';
import { registrySchema } from './schema.ts';

export interface ManifestEntry {
  readonly digest: Digest;
  readonly mediaType: string;
  /** bytes */
  readonly size: number;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly subject: Digest | undefined;
}

/** A manifest that comes in, with what has to be there for it. */
export interface NewManifest extends ManifestEntry {
  readonly blobs: readonly Needed[];
  /** Whether it is taken although some of what it refers to is not there. */
  readonly isSparse?: boolean;
  readonly manifests: readonly Needed[];
}

/** A descriptor, as far as it matters here. */
type Needed = Pick<Descriptor, 'digest' | 'size'>;

/** How long an answer "this blob is here" binds, before it is written down again. */
const touchEvery = 60_000_000_000n;

/** What a registry knows of repositories; the bytes are the content store's. Every method is one transaction. */
export class RegistryStore implements Disposable {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.#db = new Database(path, registrySchema);
    this.#clock = clock;
  }

  /** For those who keep or read records beside these. */
  get database(): Database {
    return this.#db;
  }

  /** All or nothing of what the methods called within do. */
  transaction<T>(body: () => T): T {
    return this.#db.transaction(body);
  }

  [Symbol.dispose](): void {
    this.#db[Symbol.dispose]();
  }

  /** Repositories that hold something, after `last`, in lexical order. */
  repositories(last: string, limit: number): readonly string[] {
    return this.#db
      .all(
        `SELECT name FROM repositories r WHERE name > ? AND EXISTS (SELECT 1 FROM manifests WHERE repository = r.id)
         ORDER BY name LIMIT ?`,
        last,
        limit,
      )
      .map((row) => text(row, 'name'));
  }

  /** undefined: there is no such repository. In the specification's order: lexical, whatever the case. */
  tags(repository: string, last: string, limit: number): readonly string[] | undefined {
    const id = this.#find(repository);
    if (id === undefined) return undefined;
    return this.#db
      .all(
        'SELECT name FROM tags WHERE repository = ? AND (name COLLATE NOCASE, name) > (?, ?) ORDER BY name COLLATE NOCASE, name LIMIT ?',
        id,
        last,
        last,
        limit,
      )
      .map((row) => text(row, 'name'));
  }

  /** Whether the repository has the blob; whoever is told so may count on it for a while. */
  useBlob(repository: string, digest: Digest): { readonly size: number } | undefined {
    const id = this.#find(repository);
    if (id === undefined) return undefined;
    const row = this.#db.find(
      'SELECT size, used_at FROM blobs WHERE repository = ? AND digest = ?',
      id,
      digest,
    );
    if (!row) return undefined;
    const now = this.#clock.now();
    if (now - integer(row, 'used_at') > touchEvery) {
      this.#db.relaxed(() =>
        this.#db.run('UPDATE blobs SET used_at = ? WHERE repository = ? AND digest = ?', now, id, digest),
      );
    }
    return { size: Number(integer(row, 'size')) };
  }

  repositoriesWith(digest: Digest): readonly string[] {
    return this.#db
      .all('SELECT name FROM blobs b JOIN repositories r ON r.id = b.repository WHERE b.digest = ?', digest)
      .map((row) => text(row, 'name'));
  }

  /** Manifests of the repository that need the blob. */
  manifestsWith(repository: string, blob: Digest): readonly Digest[] {
    return this.#db
      .all(
        'SELECT manifest FROM manifest_references WHERE repository = ? AND digest = ?',
        this.#find(repository) ?? -1n,
        blob,
      )
      .map((row) => parseDigest(text(row, 'manifest')));
  }

  addBlob(repository: string, digest: Digest, size: number): void {
    this.#db.transaction(() => {
      this.#db.run(
        'INSERT INTO blobs (repository, digest, size, used_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET used_at = excluded.used_at, released = 0',
        this.#ensure(repository),
        digest,
        size,
        this.#clock.now(),
      );
    });
  }

  /** Throws BLOB_UNKNOWN. */
  removeBlob(repository: string, digest: Digest): void {
    const id = this.#find(repository) ?? -1n;
    if (this.#db.run('DELETE FROM blobs WHERE repository = ? AND digest = ?', id, digest) === 0) {
      throw blobUnknown(digest);
    }
  }

  /** By tag or digest. */
  manifest(repository: string, reference: string): ManifestEntry | undefined {
    const id = this.#find(repository);
    if (id === undefined) return undefined;
    const row = reference.includes(':')
      ? this.#db.find('SELECT * FROM manifests WHERE repository = ? AND digest = ?', id, reference)
      : this.#db.find(
          'SELECT m.* FROM tags t JOIN manifests m ON m.repository = t.repository AND m.digest = t.digest WHERE t.repository = ? AND t.name = ?',
          id,
          reference,
        );
    return row && entryOf(row);
  }

  /** Throws MANIFEST_BLOB_UNKNOWN when something that it needs is not in the repository, or of another size. */
  putManifest(repository: string, manifest: NewManifest, tags: readonly string[]): void {
    this.#db.transaction(() => {
      const id = this.#ensure(repository);
      const sparse = manifest.isSparse === true;
      for (const blob of manifest.blobs) this.#requireThere('blobs', id, blob, sparse);
      for (const child of manifest.manifests) this.#requireThere('manifests', id, child, sparse);
      const now = this.#clock.now();
      this.#db.run(
        `INSERT INTO manifests (repository, digest, media_type, size, artifact_type, annotations, subject, pushed_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET pushed_at = excluded.pushed_at`,
        id,
        manifest.digest,
        manifest.mediaType,
        manifest.size,
        manifest.artifactType ?? null,
        manifest.annotations ? JSON.stringify(manifest.annotations) : null,
        manifest.subject ?? null,
        now,
      );
      for (const digest of new Set([...manifest.blobs, ...manifest.manifests].map((each) => each.digest))) {
        this.#db.run(
          'INSERT INTO manifest_references (repository, manifest, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
          id,
          manifest.digest,
          digest,
        );
      }
      for (const tag of tags) {
        this.#db.run(
          `INSERT INTO tags (repository, name, digest, updated_at) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET digest = excluded.digest, updated_at = excluded.updated_at`,
          id,
          tag,
          manifest.digest,
          now,
        );
      }
    });
  }

  /** Tags that stand at a manifest. */
  tagsOf(repository: string, digest: Digest): readonly string[] {
    return this.#db
      .all(
        'SELECT name FROM tags WHERE repository = ? AND digest = ? ORDER BY name',
        this.#find(repository) ?? -1n,
        digest,
      )
      .map((row) => text(row, 'name'));
  }

  /** A tag goes alone; a digest takes its tags along. Throws MANIFEST_UNKNOWN. */
  removeManifest(repository: string, reference: string): void {
    const id = this.#find(repository) ?? -1n;
    const [table, column] = reference.includes(':') ? ['manifests', 'digest'] : ['tags', 'name'];
    if (this.#db.run(`DELETE FROM ${table} WHERE repository = ? AND ${column} = ?`, id, reference) === 0) {
      throw manifestUnknown(reference);
    }
  }

  referrers(repository: string, subject: Digest): readonly ManifestEntry[] {
    return this.#db
      .all(
        'SELECT * FROM manifests WHERE repository = ? AND subject = ? ORDER BY pushed_at, digest',
        this.#find(repository) ?? -1n,
        subject,
      )
      .map(entryOf);
  }

  addUpload(id: string, repository: string): void {
    this.#db.run(
      'INSERT INTO uploads (id, repository, started_at) VALUES (?, ?, ?)',
      id,
      repository,
      this.#clock.now(),
    );
  }

  hasUpload(id: string, repository: string): boolean {
    return (
      this.#db.find('SELECT 1 AS one FROM uploads WHERE id = ? AND repository = ?', id, repository) !==
      undefined
    );
  }

  removeUpload(id: string): void {
    this.#db.run('DELETE FROM uploads WHERE id = ?', id);
  }

  /** Uploads begun before a time. */
  uploadsBefore(time: bigint): readonly string[] {
    return this.#db.all('SELECT id FROM uploads WHERE started_at < ?', time).map((row) => text(row, 'id'));
  }

  /** Takes from repositories the blobs that no manifest of theirs needs and nobody has asked for since. */
  dropUnusedBlobs(before: bigint): number {
    return this.#db.run(
      `DELETE FROM blobs WHERE used_at < ? AND NOT EXISTS (
         SELECT 1 FROM manifest_references r WHERE r.repository = blobs.repository AND r.digest = blobs.digest)`,
      before,
    );
  }

  /** Drops manifests without a tag that no index and no subject keeps. */
  dropUntagged(before: bigint): number {
    return this.#db.run(
      `DELETE FROM manifests WHERE pushed_at < ?
         AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.repository = manifests.repository AND t.digest = manifests.digest)
         AND NOT EXISTS (
           SELECT 1 FROM manifest_references r WHERE r.repository = manifests.repository AND r.digest = manifests.digest)
         AND (subject IS NULL OR NOT EXISTS (
           SELECT 1 FROM manifests s WHERE s.repository = manifests.repository AND s.digest = manifests.subject))`,
      before,
    );
  }

  /** Whether any repository needs these bytes. */
  isKept(digest: Digest): boolean {
    return (
      this.#db.find('SELECT 1 AS one FROM blobs WHERE digest = ? LIMIT 1', digest) !== undefined ||
      this.#db.find('SELECT 1 AS one FROM manifests WHERE digest = ? LIMIT 1', digest) !== undefined
    );
  }

  #requireThere(
    table: 'blobs' | 'manifests',
    repository: bigint,
    { digest, size }: Needed,
    sparse: boolean,
  ): void {
    const row = this.#db.find(
      `SELECT size FROM ${table} WHERE repository = ? AND digest = ?`,
      repository,
      digest,
    );
    if (!row && sparse) return;
    if (!row) throw manifestBlobUnknown(digest);
    const real = integer(row, 'size');
    if (real === BigInt(size)) return;
    throw manifestInvalid(`${digest} has ${real} bytes, and not ${size} as the manifest says`);
  }

  #find(repository: string): bigint | undefined {
    const row = this.#db.find('SELECT id FROM repositories WHERE name = ?', repository);
    return row && integer(row, 'id');
  }

  #ensure(repository: string): bigint {
    const found = this.#find(repository);
    if (found !== undefined) return found;
    this.#db.run('INSERT INTO repositories (name) VALUES (?)', repository);
    return this.#find(repository) ?? -1n;
  }
}

function entryOf(row: Row): ManifestEntry {
  const optional = (column: string): string | undefined =>
    row[column] === null ? undefined : text(row, column);
  const annotations = optional('annotations');
  const subject = optional('subject');
  return {
    digest: parseDigest(text(row, 'digest')),
    mediaType: text(row, 'media_type'),
    size: Number(integer(row, 'size')),
    artifactType: optional('artifact_type'),
    // Written by putManifest() only.
    annotations: annotations === undefined ? undefined : (JSON.parse(annotations) as Record<string, string>),
    subject: subject === undefined ? undefined : parseDigest(subject),
  };
}
