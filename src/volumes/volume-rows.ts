import { integer, text, type Database, type Row } from '#metadata';
import type { RetiredVolume, VolumeRecord } from './volumes.ts';

/** The tables `volumes` and `retired_volumes`. Nothing is kept in memory. */
export class VolumeRows {
  readonly #db: Database;
  readonly #mountpoint: (name: string) => string;

  constructor(db: Database, mountpoint: (name: string) => string) {
    this.#db = db;
    this.#mountpoint = mountpoint;
  }

  all(): readonly VolumeRecord[] {
    return this.#db.all('SELECT * FROM volumes').map((row) => this.#recordOf(row));
  }

  retired(): readonly RetiredVolume[] {
    return this.#db.all('SELECT * FROM retired_volumes').map((row) => ({
      id: text(row, 'id'),
      record: this.#recordOf(row),
      at: integer(row, 'retired_at'),
      batch: text(row, 'batch'),
    }));
  }

  add(record: VolumeRecord): void {
    const { name, driver, labels, options, anonymous, createdAt, locked } = record;
    this.#db.run(
      'INSERT INTO volumes (name, driver, labels, options, anonymous, created_at, locked) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[name, driver, JSON.stringify(labels), JSON.stringify(options)],
      ...[Number(anonymous), createdAt, Number(locked)],
    );
  }

  lock(name: string, locked: boolean): void {
    this.#db.run('UPDATE volumes SET locked = ? WHERE name = ?', Number(locked), name);
  }

  remove(name: string): void {
    this.#db.run('DELETE FROM volumes WHERE name = ?', name);
  }

  /** From one table to the other, in one transaction. */
  retire({ id, record, at, batch }: RetiredVolume): void {
    const { name, driver, labels, options, anonymous, createdAt } = record;
    this.#db.transaction(() => {
      this.#db.run(
        `INSERT INTO retired_volumes (id, name, driver, labels, options, anonymous, created_at, retired_at, batch)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[id, name, driver, JSON.stringify(labels), JSON.stringify(options)],
        ...[Number(anonymous), createdAt, at, batch],
      );
      this.remove(name);
    });
  }

  renameRetired(id: string, name: string): void {
    this.#db.run('UPDATE retired_volumes SET name = ? WHERE id = ?', name, id);
  }

  /** And back. */
  reinstate({ id, record }: RetiredVolume): void {
    this.#db.transaction(() => {
      this.add(record);
      this.discard(id);
    });
  }

  discard(id: string): void {
    this.#db.run('DELETE FROM retired_volumes WHERE id = ?', id);
  }

  #recordOf(row: Row): VolumeRecord {
    const name = text(row, 'name');
    return {
      name,
      driver: 'local',
      mountpoint: this.#mountpoint(name),
      // Both columns are written above alone.
      labels: JSON.parse(text(row, 'labels')) as Record<string, string>,
      options: JSON.parse(text(row, 'options')) as Record<string, string>,
      anonymous: integer(row, 'anonymous') === 1n,
      createdAt: integer(row, 'created_at'),
      // A volume in the bin was not locked.
      locked: 'locked' in row && integer(row, 'locked') === 1n,
    };
  }
}
