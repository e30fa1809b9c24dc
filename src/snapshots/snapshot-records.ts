import { invalidArgument } from '#kernel';
import { integer, isFull, text, type Database, type Row } from '#metadata';
import type { Digest } from '#oci';
import {
  noSuchSnapshot,
  snapshotExists,
  snapshotHasChildren,
  snapshotIsActive,
  snapshotIsCommitted,
} from './errors.ts';
import type { SnapshotInfo } from './snapshotter.ts';

/** A row of the `snapshots` table. */
export interface SnapshotRecord extends SnapshotInfo {
  /** Name of the folder that holds the files. */
  readonly folder: string;
  /** Bytes that a committed snapshot takes on disk, once they were counted. */
  readonly disk?: number;
  /** The run of the machine in which it was committed, until its files are on the disk for sure. */
  readonly boot?: string;
}

function recordOf(row: Row): SnapshotRecord {
  return {
    key: text(row, 'key'),
    parent: row['parent'] === null ? undefined : text(row, 'parent'),
    kind: text(row, 'kind') === 'active' ? 'active' : 'committed',
    folder: text(row, 'folder'),
    size: Number(integer(row, 'size')),
    createdAt: integer(row, 'created_at'),
    ...(row['disk'] !== null && { disk: Number(integer(row, 'disk')) }),
    ...(row['boot'] !== null && { boot: text(row, 'boot') }),
  };
}

/** The table of snapshots, with everything in memory too, so that reads touch no disk. */
export class SnapshotRecords {
  readonly #db: Database;
  readonly #records = new Map<string, SnapshotRecord>();
  readonly #children = new Map<string, Set<string>>();

  constructor(db: Database) {
    this.#db = db;
  }

  load(): void {
    this.#records.clear();
    this.#children.clear();
    for (const row of this.#db.all('SELECT * FROM snapshots ORDER BY created_at'))
      this.#remember(recordOf(row));
  }

  find(key: string): SnapshotRecord | undefined {
    return this.#records.get(key);
  }

  /** Throws notFound. */
  get(key: string): SnapshotRecord {
    const record = this.#records.get(key);
    if (!record) throw noSuchSnapshot(key);
    return record;
  }

  list(): SnapshotRecord[] {
    return [...this.#records.values()];
  }

  /** The snapshot and those below it, from the top to the base. Throws notFound. */
  chain(key: string): SnapshotRecord[] {
    const chain = [this.get(key)];
    for (let parent = chain[0]?.parent; parent !== undefined; parent = chain.at(-1)?.parent) {
      chain.push(this.get(parent));
    }
    return chain;
  }

  /** What add() would throw, without adding. */
  checkNew(key: string, parent: string | undefined): void {
    if (this.#records.has(key)) throw snapshotExists(key);
    if (parent !== undefined && this.get(parent).kind !== 'committed') throw snapshotIsActive(parent);
  }

  add(record: SnapshotRecord): void {
    this.checkNew(record.key, record.parent);
    // Whoever prepares a snapshot records durably what it is for; a row without that is removed at the next start.
    this.#db.relaxed(() =>
      this.#db.run(
        'INSERT INTO snapshots (key, parent, kind, folder, size, created_at) VALUES (?, ?, ?, ?, ?, ?)',
        record.key,
        record.parent ?? null,
        record.kind,
        record.folder,
        record.size,
        record.createdAt,
      ),
    );
    this.#remember(record);
  }

  /** Turns an active snapshot into a committed one under another key, whose files are not on the disk for sure. */
  commit(key: string, name: Digest, size: number, boot: string): SnapshotRecord {
    const record = this.get(key);
    if (record.kind !== 'active') throw snapshotIsCommitted(key);
    if (this.#records.has(name)) throw snapshotExists(name);
    const change = "UPDATE snapshots SET key = ?, kind = 'committed', size = ?, boot = ? WHERE key = ?";
    this.#db.run(change, name, size, boot, key);
    this.#forget(record);
    const committed = { ...record, key: name, kind: 'committed', size, boot } as const;
    this.#remember(committed);
    return committed;
  }

  /** The committed snapshot takes over the folder of the active one, which is gone and on the disk. Returns the folder that it had. */
  replace(name: string, by: string): string {
    const [old, fresh] = [this.get(name), this.get(by)];
    if (fresh.kind !== 'active' || old.kind !== 'committed' || fresh.parent !== old.parent) {
      throw invalidArgument(`snapshot ${by} cannot take the place of snapshot ${name}`);
    }
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM snapshots WHERE key = ?', by);
      this.#db.run(
        'UPDATE snapshots SET folder = ?, disk = NULL, boot = NULL WHERE key = ?',
        fresh.folder,
        name,
      );
    });
    this.#forget(fresh);
    const changed: { -readonly [Key in keyof SnapshotRecord]: SnapshotRecord[Key] } = {
      ...old,
      folder: fresh.folder,
    };
    delete changed.disk;
    delete changed.boot;
    // Its parent keeps it as a child.
    this.#records.set(name, changed);
    return old.folder;
  }

  /** Committed snapshots whose files are not on the disk for sure. */
  unflushed(): SnapshotRecord[] {
    return this.list().filter(({ boot }) => boot !== undefined);
  }

  /** These are on the disk. One that went meanwhile, or became another, is left as it is. */
  flushed(records: readonly SnapshotRecord[]): void {
    this.#db.transaction(() => {
      for (const { key, folder } of records) {
        this.#db.run('UPDATE snapshots SET boot = NULL WHERE key = ? AND folder = ?', key, folder);
      }
    });
    for (const { key, folder } of records) {
      const now = this.#records.get(key);
      if (now?.folder !== folder) continue;
      const after = { ...now };
      delete (after as { boot?: string }).boot;
      this.#records.set(key, after);
    }
  }

  /** Remembers what a committed snapshot takes on disk; counted again if it is lost. */
  measured(key: string, disk: number): void {
    const record = this.#records.get(key);
    if (record?.kind !== 'committed') return;
    this.#records.set(key, { ...record, disk });
    try {
      this.#db.relaxed(() => this.#db.run('UPDATE snapshots SET disk = ? WHERE key = ?', disk, key));
    } catch (error) {
      // Who makes room on a full disk counts first.
      if (!isFull(error)) throw error;
    }
  }

  /** Throws conflict while there are children. Returns what was removed, if it was there. */
  remove(key: string): SnapshotRecord | undefined {
    const record = this.#records.get(key);
    if (!record) return undefined;
    const [child] = this.#children.get(key) ?? [];
    if (child !== undefined) throw snapshotHasChildren(key, child);
    const remove = (): number => this.#db.run('DELETE FROM snapshots WHERE key = ?', key);
    if (this.#records.get(key)?.kind === 'active') this.#db.relaxed(remove);
    else remove();
    this.#forget(record);
    return record;
  }

  /** Removes a snapshot whose files are lost, with all that stand on it. Returns what was removed. */
  removeLost(key: string): SnapshotRecord[] {
    const children = [...(this.#children.get(key) ?? [])];
    const removed = children.flatMap((child) => this.removeLost(child));
    const record = this.remove(key);
    return record ? [...removed, record] : removed;
  }

  #remember(record: SnapshotRecord): void {
    this.#records.set(record.key, record);
    if (record.parent === undefined) return;
    let children = this.#children.get(record.parent);
    if (!children) this.#children.set(record.parent, (children = new Set()));
    children.add(record.key);
  }

  #forget(record: SnapshotRecord): void {
    this.#records.delete(record.key);
    if (record.parent === undefined) return;
    const children = this.#children.get(record.parent);
    children?.delete(record.key);
    if (children?.size === 0) this.#children.delete(record.parent);
  }
}
