import { newId, type Clock } from '#kernel';
import { isFull, text, type Database } from './database.ts';

export type LeaseKind = 'blob' | 'snapshot';

/** Keeps what it names from garbage collection until it is disposed. */
export interface Lease extends Disposable {
  readonly id: string;
  add(kind: LeaseKind, key: string): void;
}

/**
 * Leases: what an operation under way needs although no name points at it yet. They do not outlive the daemon's
 * process: start() drops those of earlier runs, whose operations ended with it.
 */
export class Leases {
  readonly #db: Database;
  readonly #clock: Clock;
  /** Disposed, but still in the records: the disk was full. */
  readonly #ended = new Set<string>();

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  start(): void {
    this.#db.run('DELETE FROM leases');
  }

  open(): Lease {
    const id = newId();
    this.#forgetEnded();
    this.#db.run('INSERT INTO leases (id, created_at) VALUES (?, ?)', id, this.#clock.now());
    return {
      id,
      add: (kind, key) => {
        this.#db.run('INSERT OR IGNORE INTO lease_items (lease, kind, key) VALUES (?, ?, ?)', id, kind, key);
      },
      [Symbol.dispose]: () => {
        this.#ended.add(id);
        this.#forgetEnded();
      },
    };
  }

  /** Everything leased now, of one kind. */
  items(kind: LeaseKind): ReadonlySet<string> {
    const rows = this.#db.all('SELECT lease, key FROM lease_items WHERE kind = ?', kind);
    return new Set(rows.filter((row) => !this.#ended.has(text(row, 'lease'))).map((row) => text(row, 'key')));
  }

  /** A lease must end although nothing can be written: what it held is what fills the disk. */
  #forgetEnded(): void {
    for (const id of this.#ended) {
      try {
        this.#db.run('DELETE FROM leases WHERE id = ?', id);
        this.#ended.delete(id);
      } catch (error) {
        if (!isFull(error)) throw error;
        return;
      }
    }
  }
}
