/**
 * Every table of a registry's `registry.db`. Times are nanoseconds since the epoch.
 *
 *   repositories         id → name
 *   blobs                what a repository may hand out; `used_at` is when a client last was told that it is there,
 *                        `released` that manifests needed it and none does any more
 *   manifests            what a repository holds, by digest, with what referrers are asked for
 *   manifest_references  what a manifest needs to stay: its config, layers and child manifests
 *   tags                 name → manifest
 *   uploads              blobs on their way in; their bytes are keyed ingests of the content store
 *   notifications        envelopes that wait for the webhooks they are for
 */
export const registrySchema: readonly string[] = [
  `
  CREATE TABLE repositories (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

  CREATE TABLE blobs (
    repository INTEGER NOT NULL REFERENCES repositories(id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blobs_by_digest ON blobs(digest);

  CREATE TABLE manifests (
    repository INTEGER NOT NULL REFERENCES repositories(id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    artifact_type TEXT,
    annotations TEXT,
    subject TEXT,
    pushed_at INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX manifests_by_digest ON manifests(digest);
  CREATE INDEX manifests_by_subject ON manifests(repository, subject) WHERE subject IS NOT NULL;

  CREATE TABLE manifest_references (
    repository INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (repository, manifest, digest),
    FOREIGN KEY (repository, manifest) REFERENCES manifests(repository, digest) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX references_by_digest ON manifest_references(repository, digest);

  CREATE TABLE tags (
    repository INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (repository, name),
    FOREIGN KEY (repository, digest) REFERENCES manifests(repository, digest) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_by_digest ON tags(repository, digest);

  CREATE TABLE uploads (id TEXT PRIMARY KEY, repository TEXT NOT NULL, started_at INTEGER NOT NULL) STRICT;
  `,
  `
  ALTER TABLE manifests ADD COLUMN pulled_at INTEGER;
  ALTER TABLE blobs ADD COLUMN released INTEGER NOT NULL DEFAULT 0;
  UPDATE blobs SET released = 1 WHERE NOT EXISTS (
    SELECT 1 FROM manifest_references r WHERE r.repository = blobs.repository AND r.digest = blobs.digest);
  CREATE TRIGGER release_blob AFTER DELETE ON manifest_references
    WHEN NOT EXISTS (SELECT 1 FROM manifest_references WHERE repository = OLD.repository AND digest = OLD.digest)
    BEGIN UPDATE blobs SET released = 1 WHERE repository = OLD.repository AND digest = OLD.digest; END;
  CREATE TRIGGER take_blob AFTER INSERT ON manifest_references
    BEGIN UPDATE blobs SET released = 0 WHERE repository = NEW.repository AND digest = NEW.digest AND released = 1; END;

  CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX notifications_by_endpoint ON notifications(endpoint, id);
  `,
];
