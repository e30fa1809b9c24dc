import type { Clock } from '#kernel';
import { integer, text, type Database } from '#metadata';

/** A notification that waits for its endpoint. */
export interface WaitingNotification {
  readonly id: bigint;
  readonly body: string;
  /** Deliveries that failed. */
  readonly attempts: number;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
  /** Nanoseconds since the epoch: not before. */
  readonly dueAt: bigint;
}

/** What waits for one endpoint, give or take a thousand; beyond it the oldest goes. */
const longest = 100_000;

/** Notifications that are to be delivered, in order, in the registry's database: they outlive the process. */
export class Outbox {
  readonly #db: Database;
  readonly #clock: Clock;
  #added = 0;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Joins the transaction in which it is called. */
  add(endpoint: string, body: string): void {
    const now = this.#clock.now();
    this.#db.run(
      'INSERT INTO notifications (endpoint, body, created_at, due_at) VALUES (?, ?, ?, ?)',
      endpoint,
      body,
      now,
      now,
    );
    this.#added += 1;
    if (this.#added % 1000 === 0) this.#trim(endpoint);
  }

  next(endpoint: string): WaitingNotification | undefined {
    const row = this.#db.find('SELECT * FROM notifications WHERE endpoint = ? ORDER BY id LIMIT 1', endpoint);
    return (
      row && {
        id: integer(row, 'id'),
        body: text(row, 'body'),
        attempts: Number(integer(row, 'attempts')),
        createdAt: integer(row, 'created_at'),
        dueAt: integer(row, 'due_at'),
      }
    );
  }

  /** After a loss of power one may be delivered twice; it has the same id then. */
  remove(id: bigint): void {
    this.#db.relaxed(() => this.#db.run('DELETE FROM notifications WHERE id = ?', id));
  }

  postpone(id: bigint, milliseconds: number): void {
    const dueAt = this.#clock.now() + BigInt(Math.round(milliseconds)) * 1_000_000n;
    this.#db.relaxed(() =>
      this.#db.run('UPDATE notifications SET attempts = attempts + 1, due_at = ? WHERE id = ?', dueAt, id),
    );
  }

  /** Drops the oldest of what is too much. */
  #trim(endpoint: string): void {
    const surplus = this.waiting(endpoint) - longest;
    if (surplus <= 0) return;
    this.#db.run(
      'DELETE FROM notifications WHERE id IN (SELECT id FROM notifications WHERE endpoint = ? ORDER BY id LIMIT ?)',
      endpoint,
      surplus,
    );
  }

  /** Drops what waits for endpoints that are none any more. Returns how many went. */
  keepOnly(endpoints: readonly string[]): number {
    return this.#db.run(
      'DELETE FROM notifications WHERE endpoint NOT IN (SELECT value FROM json_each(?))',
      JSON.stringify(endpoints),
    );
  }

  waiting(endpoint: string): number {
    const row = this.#db.find('SELECT count(*) AS n FROM notifications WHERE endpoint = ?', endpoint);
    return row ? Number(integer(row, 'n')) : 0;
  }
}
