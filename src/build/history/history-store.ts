import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { notFound, writeFileAtomic, type Clock } from '#kernel';
import { integer, text, type Database, type Row } from '#metadata';
import type { Digest } from '#oci';

/** A build that is over. */
export interface HistoryEntry {
  readonly ref: string;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
  readonly pinned: boolean;
  /** Counts changes. */
  readonly generation: number;
  /** What clients are told, as JSON. */
  readonly record: string;
}

export interface HistoryLimits {
  readonly entries: number;
  /** Nanoseconds. */
  readonly age: bigint;
}

const usually: HistoryLimits = { entries: 100, age: 30n * 24n * 3600n * 1_000_000_000n };

/**
 * Builds that are over, with their logs and statements, as blobs of a folder. The oldest go first; what is pinned stays.
 * Losing the newest with the machine's power harms nobody.
 */
export class HistoryStore {
  readonly #folder: string;
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #limits: HistoryLimits;

  constructor(folder: string, db: Database, clock: Clock, limits: HistoryLimits = usually) {
    this.#folder = folder;
    this.#db = db;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Removes what no entry names. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const named = new Set(
      this.#db.all('SELECT DISTINCT digest FROM build_history_blobs').map((row) => text(row, 'digest')),
    );
    for (const name of await readdir(this.#folder)) {
      if (!named.has(`sha256:${name}`)) await rm(join(this.#folder, name));
    }
  }

  /** Newest first. */
  list(): readonly HistoryEntry[] {
    return this.#db.all('SELECT * FROM build_history ORDER BY created_at DESC').map(read);
  }

  find(ref: string): HistoryEntry | undefined {
    const row = this.#db.find('SELECT * FROM build_history WHERE ref = ?', ref);
    return row && read(row);
  }

  /** Keeps an entry and its blobs; answers the refs of those that gave way. */
  async put(
    { ref, createdAt, record }: Pick<HistoryEntry, 'ref' | 'createdAt' | 'record'>,
    blobs: ReadonlyMap<Digest, Uint8Array>,
  ): Promise<readonly string[]> {
    for (const [digest, data] of blobs) await writeFileAtomic(this.#path(digest), data, { sync: false });
    this.#db.relaxed(() =>
      this.#db.transaction(() => {
        this.#db.run(
          'INSERT OR REPLACE INTO build_history (ref, created_at, pinned, generation, record) VALUES (?, ?, 0, 1, ?)',
          ...[ref, createdAt, record],
        );
        for (const digest of blobs.keys()) {
          this.#db.run('INSERT INTO build_history_blobs (ref, digest) VALUES (?, ?)', ref, digest);
        }
      }),
    );
    const gone = this.#surplus();
    for (const old of gone) await this.remove(old);
    return gone;
  }

  /** Throws notFound. */
  pin(ref: string, pinned: boolean): HistoryEntry {
    this.#db.run(
      'UPDATE build_history SET pinned = ?, generation = generation + 1 WHERE ref = ?',
      ...[pinned ? 1 : 0, ref],
    );
    return this.#get(ref);
  }

  /** With the blobs that no other entry has. Throws notFound. */
  async remove(ref: string): Promise<void> {
    this.#get(ref);
    const blobs = this.#db
      .all('SELECT digest FROM build_history_blobs WHERE ref = ?', ref)
      .map((row) => text(row, 'digest'));
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM build_history_blobs WHERE ref = ?', ref);
      this.#db.run('DELETE FROM build_history WHERE ref = ?', ref);
    });
    for (const digest of blobs) {
      const other = this.#db.find('SELECT 1 FROM build_history_blobs WHERE digest = ?', digest);
      if (!other) await rm(this.#path(digest), { force: true });
    }
  }

  /** Bytes of a blob that some entry has; undefined where none has it. */
  async size(digest: string): Promise<number | undefined> {
    const known = this.#db.find('SELECT 1 FROM build_history_blobs WHERE digest = ?', digest);
    return known && (await stat(this.#path(digest)).catch(() => undefined))?.size;
  }

  /** A blob whose size() is known, from `start` up to and without `end`. */
  open(
    digest: string,
    { start, end }: { readonly start: number; readonly end: number },
  ): AsyncIterable<Uint8Array> {
    if (end <= start) return Readable.from([]) as AsyncIterable<Uint8Array>;
    return createReadStream(this.#path(digest), {
      ...{ start, end: end - 1, highWaterMark: 256 * 1024 },
    }) as AsyncIterable<Uint8Array>;
  }

  #path(digest: string): string {
    return join(this.#folder, digest.replace(/^sha256:/, '').replace(/[^0-9a-f]/g, ''));
  }

  #get(ref: string): HistoryEntry {
    const entry = this.find(ref);
    if (!entry) throw notFound(`no build record with the ref ${ref}`);
    return entry;
  }

  #surplus(): readonly string[] {
    const loose = this.list().filter(({ pinned }) => !pinned);
    const oldest = this.#clock.now() - this.#limits.age;
    return loose
      .filter(({ createdAt }, index) => index >= this.#limits.entries || createdAt < oldest)
      .map(({ ref }) => ref);
  }
}

const read = (row: Row): HistoryEntry => ({
  ref: text(row, 'ref'),
  createdAt: integer(row, 'created_at'),
  pinned: integer(row, 'pinned') !== 0n,
  generation: Number(integer(row, 'generation')),
  record: text(row, 'record'),
});
