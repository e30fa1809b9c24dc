/**
 * Every table of `wharf.db`. Times are nanoseconds since the epoch; JSON columns hold what is read and written
 * whole. Before the first release the schema is edited in place; afterwards each change is a migration of its own.
 *
 *   meta         name → value                     format version of the data root, instance id
 *   leases       id → name, expires               what a running operation needs, though nothing names it yet; with
 *                                                 a time of expiry: what an interrupted one left to be taken up again
 *   lease_items  lease, kind, key                 kind: blob | snapshot
 *   images       id (config digest) → target, manifest descriptors, chain id, size, the image it was committed on
 *   image_names  canonical reference → image id, and when it was tagged
 *   snapshots    key → parent, kind, folder, size, bytes that it takes on disk once they were counted; `boot`: the run
 *                of the machine in which it was committed, as long as its files may be in memory only
 *   containers   id → name, everything else as JSON
 *   networks     id → name, driver, everything else as JSON
 *   endpoints    container, network → address, everything else as JSON; a row while the sandbox is open
 *   sandboxes    container → spec and ports as JSON
 *   blob_sources digest, repository → seen        where a blob was pulled from or pushed to
 *   volumes      name → driver, labels, options, whether it is locked
 *   image_uses       image id → when it was last used
 *   retired_images   image id → the names it had; the image is in the bin, its row in `images` stays
 *   build_cache      what a build step was made of → the layers that came of it; they stay as long as the row
 *   build_mounts     folder below build/caches → which cache mount of builds it is
 *   build_history        ref of a build that is over → what clients are told of it, as JSON
 *   build_history_blobs  ref, digest               what it has in `build/history`
 *   build_memory     hash of what a client builds → what its steps were made of at the last build, as JSON
 *   retired_volumes  id → what `volumes` had of it; a volume in the bin
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  CREATE TABLE leases (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;
  CREATE TABLE lease_items (
    lease TEXT NOT NULL REFERENCES leases(id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('blob', 'snapshot')),
    key TEXT NOT NULL,
    PRIMARY KEY (lease, kind, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE images (
    id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    manifest TEXT NOT NULL,
    chain_id TEXT,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE image_names (
    name TEXT PRIMARY KEY,
    image TEXT NOT NULL REFERENCES images(id),
    tagged_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX image_names_by_image ON image_names(image);

  CREATE TABLE snapshots (
    key TEXT PRIMARY KEY,
    parent TEXT REFERENCES snapshots(key),
    kind TEXT NOT NULL CHECK (kind IN ('active', 'committed')),
    folder TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX snapshots_by_parent ON snapshots(parent);

  CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;

  CREATE TABLE networks (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    driver TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE sandboxes (container TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE endpoints (
    container TEXT NOT NULL,
    network TEXT NOT NULL REFERENCES networks(id),
    record TEXT NOT NULL,
    PRIMARY KEY (container, network)
  ) STRICT;
  CREATE INDEX endpoints_by_network ON endpoints(network);

  CREATE TABLE volumes (
    name TEXT PRIMARY KEY,
    driver TEXT NOT NULL,
    labels TEXT NOT NULL,
    options TEXT NOT NULL,
    anonymous INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE volumes ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE snapshots ADD COLUMN disk INTEGER;
  CREATE TABLE image_uses (image TEXT PRIMARY KEY, used_at INTEGER NOT NULL) STRICT;
  CREATE TABLE retired_images (
    image TEXT PRIMARY KEY,
    names TEXT NOT NULL,
    retired_at INTEGER NOT NULL,
    batch TEXT NOT NULL
  ) STRICT;
  CREATE TABLE retired_volumes (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    driver TEXT NOT NULL,
    labels TEXT NOT NULL,
    options TEXT NOT NULL,
    anonymous INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER NOT NULL,
    batch TEXT NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE leases ADD COLUMN name TEXT;
  ALTER TABLE leases ADD COLUMN kept_for INTEGER;
  ALTER TABLE leases ADD COLUMN expires_at INTEGER;
  CREATE TABLE blob_sources (
    digest TEXT NOT NULL,
    repository TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (digest, repository)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE images ADD COLUMN parent TEXT;
  `,
  `
  ALTER TABLE snapshots ADD COLUMN boot TEXT;
  `,
  `
  CREATE TABLE build_cache (
    key TEXT PRIMARY KEY,
    layers TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    uses INTEGER NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE build_mounts (
    folder TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    uses INTEGER NOT NULL
  ) STRICT;
  DELETE FROM leases WHERE name LIKE 'build cache %';
  `,
  `
  CREATE TABLE build_memory (
    name TEXT PRIMARY KEY,
    steps TEXT NOT NULL,
    built_at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE build_history (
    ref TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE build_history_blobs (
    ref TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (ref, digest)
  ) STRICT, WITHOUT ROWID;
  `,
];
