import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { EngineError } from '#kernel';
import { DiskReserve } from './disk-reserve.ts';
import { migrations } from './schema.ts';

export type Row = Record<string, string | number | bigint | null | Uint8Array>;

/**
 * The daemon's records: SQLite in WAL mode with synchronous=FULL, so that a committed transaction survives
 * `kill -9` and power loss. Calls are synchronous (a commit takes 0.03–0.2 ms). Integers are read as bigint.
 */
export class Database implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #reserve: DiskReserve | undefined;
  #depth = 0;

  /**
   * Opens or creates the file (`:memory:` for tests) and brings its schema up to date: `schema` lists the migrations
   * since the first, the engine's own where nothing else is given.
   */
  constructor(path: string, schema: readonly string[] = migrations) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(
      'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=2000',
    );
    this.#migrate(schema);
    this.#reserve = path === ':memory:' ? undefined : new DiskReserve(`${path}-reserve`);
    this.#reserve?.hold();
  }

  /** Runs a statement; parameters are positional (`?`). Returns the number of rows it changed. */
  run(sql: string, ...parameters: SQLInputValue[]): number {
    return this.#despiteFullDisk(() => Number(this.#prepare(sql).run(...parameters).changes));
  }

  /** The first row or undefined. */
  find(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...parameters);
  }

  /** Every row. */
  all(sql: string, ...parameters: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...parameters);
  }

  /** All or nothing. `body` is synchronous; nested calls join the outer transaction. */
  transaction<T>(body: () => T): T {
    if (this.#depth > 0) return body();
    // A COMMIT that finds the disk full is rolled back by SQLite, so the room is made before.
    this.#reserve?.releaseIfFull();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#depth += 1;
    try {
      const result = body();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /**
   * Commits of `body` survive the death of the process, but not a loss of power before the next durable commit
   * (which makes all earlier ones durable too). For rows that mean nothing after a reboot, or that nobody is told
   * of before a durable one follows: it saves an fsync each.
   */
  relaxed<T>(body: () => T): T {
    if (this.#depth > 0) return body();
    this.#db.exec('PRAGMA synchronous=NORMAL');
    try {
      return body();
    } finally {
      this.#db.exec('PRAGMA synchronous=FULL');
    }
  }

  /** Repeats a write that found the disk full, with the room that was reserved for it. */
  #despiteFullDisk<T>(write: () => T): T {
    if (this.#depth > 0) return write();
    try {
      const result = write();
      this.#reserve?.hold();
      return result;
    } catch (error) {
      if (!isFull(error) || !this.#reserve?.release()) throw error;
      return write();
    }
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #migrate(schema: readonly string[]): void {
    const version = Number(this.find('PRAGMA user_version')?.['user_version'] ?? 0);
    if (version > schema.length) {
      throw new EngineError(
        'conflict',
        `the data root has format ${version}, newer than format ${schema.length} of this wharfd: upgrade wharfd, or use another --data-root`,
      );
    }
    for (const [index, migration] of schema.entries()) {
      if (index < version) continue;
      this.transaction(() => {
        this.#db.exec(migration);
        this.#db.exec(`PRAGMA user_version = ${index + 1}`);
      });
    }
  }
}

/** Whether a write failed with SQLITE_FULL. */
export const isFull = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === 13;

/** A TEXT column's value. Throws TypeError on anything else, since that is a wrong query. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`column ${column} is not text`);
  return value;
}

/** An INTEGER column's value. */
export function integer(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== 'bigint') throw new TypeError(`column ${column} is not an integer`);
  return value;
}
