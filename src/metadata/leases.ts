import { newId, type Clock } from '#kernel';
import { isFull, text, type Database } from './database.ts';

export type LeaseKind = 'blob' | 'snapshot';

export interface LeaseItem {
  readonly kind: LeaseKind;
  readonly key: string;
}

/** Keeps what it names from garbage collection until it is disposed. */
export interface Lease extends Disposable {
  readonly id: string;
  /** What an interrupted operation of the same name had left; this lease holds it now. */
  readonly inherited: readonly LeaseItem[];
  add(kind: LeaseKind, key: string): void;
  /** Many at once. */
  addAll(items: readonly LeaseItem[]): void;
  /** Once disposed, the lease goes on for its `keptFor`. */
  keep(): void;
}

export interface LeaseOptions {
  /** What the operation is: the next one of this name takes over what an interrupted one has left. */
  readonly name: string;
  /** Nanoseconds for which the lease lives on when the operation is interrupted, by the death of the daemon too. */
  readonly keptFor: bigint;
}

/** Later than any lease lasts; the largest integer of SQLite. */
const never = 2n ** 63n - 1n;

/**
 * Leases: what an operation under way needs although no name points at it yet. They end with the daemon's process:
 * start() drops those of earlier runs, but for named ones, which live on for a while.
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
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM leases WHERE kept_for IS NULL');
      const expiry = 'UPDATE leases SET expires_at = ? + kept_for WHERE expires_at IS NULL';
      this.#db.run(expiry, this.#clock.now());
      this.#dropExpired();
    });
  }

  open(options?: LeaseOptions): Lease {
    const id = newId();
    this.#forgetEnded();
    const inherited = this.#db.transaction(() => {
      this.#db.run(
        'INSERT INTO leases (id, created_at, name, kept_for) VALUES (?, ?, ?, ?)',
        ...[id, this.#clock.now(), options?.name ?? null, options?.keptFor ?? null],
      );
      return options ? this.#inherit(id, options.name) : [];
    });
    let isKept = false;
    return {
      id,
      inherited,
      add: (kind, key) => this.#add(id, [{ kind, key }], options !== undefined),
      addAll: (items) => this.#add(id, items, options !== undefined),
      keep: () => (isKept = true),
      [Symbol.dispose]: () => {
        if (isKept && options && this.#live(id, this.#clock.now() + options.keptFor)) return;
        this.#ended.add(id);
        this.#forgetEnded();
      },
    };
  }

  /** A lease without a name ends with the process: its items need not be durable. */
  #add(id: string, items: readonly LeaseItem[], isDurable: boolean): void {
    const add = (): void => {
      for (const { kind, key } of items) {
        this.#db.run('INSERT OR IGNORE INTO lease_items (lease, kind, key) VALUES (?, ?, ?)', id, kind, key);
      }
    };
    const all = (): void => (items.length === 1 ? add() : this.#db.transaction(add));
    if (isDurable) all();
    else this.#db.relaxed(all);
  }

  /** Everything leased now, of one kind; `underWay`: without what is only kept for operations to go on later. */
  items(kind: LeaseKind, options: { readonly underWay?: boolean } = {}): ReadonlySet<string> {
    const rows = this.#db.all(
      `SELECT lease, key FROM lease_items JOIN leases ON id = lease
       WHERE kind = ? AND (expires_at IS NULL OR expires_at > ?)`,
      kind,
      options.underWay ? never : this.#clock.now(),
    );
    return new Set(rows.filter((row) => !this.#ended.has(text(row, 'lease'))).map((row) => text(row, 'key')));
  }

  /** Ends what interrupted operations have left: the room is needed now. */
  dropInterrupted(): void {
    this.#db.run('DELETE FROM leases WHERE expires_at IS NOT NULL');
  }

  #dropExpired(): void {
    this.#db.run('DELETE FROM leases WHERE expires_at <= ?', this.#clock.now());
  }

  #inherit(id: string, name: string): readonly LeaseItem[] {
    this.#dropExpired();
    const old = 'SELECT id FROM leases WHERE name = ? AND expires_at IS NOT NULL';
    const rows = this.#db.all(`SELECT DISTINCT kind, key FROM lease_items WHERE lease IN (${old})`, name);
    this.#db.run(`UPDATE OR IGNORE lease_items SET lease = ? WHERE lease IN (${old})`, id, name);
    this.#db.run('DELETE FROM leases WHERE name = ? AND expires_at IS NOT NULL', name);
    // The column's CHECK names the kinds.
    return rows.map((row) => ({ kind: text(row, 'kind') as LeaseKind, key: text(row, 'key') }));
  }

  /** False where the disk is full: then the lease ends, since what it holds is what fills the disk. */
  #live(id: string, until: bigint): boolean {
    try {
      this.#db.run('UPDATE leases SET expires_at = ? WHERE id = ?', until, id);
      return true;
    } catch (error) {
      if (!isFull(error)) throw error;
      return false;
    }
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
