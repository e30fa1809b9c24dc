import { createHash } from 'node:crypto';
import type { Clock } from '#kernel';
import { text, type Database } from '#metadata';
import type { RecordedStep } from './recorded-step.ts';

/** The most builds that are remembered: those of the latest. */
const mostBuilds = 200;

/** The most characters that one may take; of a larger one nothing is remembered. */
const mostText = 512 * 1024;

/** What the steps of the latest builds were made of, by what clients build: so that the next can say what changed. */
export class BuildMemory {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** The steps of the build of this name, none where there is nothing of it. */
  find(name: string): readonly RecordedStep[] {
    const [row] = this.#db.all('SELECT steps FROM build_memory WHERE name = ?', nameOf(name));
    return row ? (JSON.parse(text(row, 'steps')) as RecordedStep[]) : []; // written by put()
  }

  put(name: string, steps: readonly RecordedStep[]): void {
    const json = JSON.stringify(steps);
    if (json.length > mostText) return;
    this.#db.run(
      `INSERT INTO build_memory (name, steps, built_at) VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET steps = excluded.steps, built_at = excluded.built_at`,
      ...[nameOf(name), json, this.#clock.now()],
    );
    this.#db.run(
      `DELETE FROM build_memory WHERE name IN
         (SELECT name FROM build_memory ORDER BY built_at DESC LIMIT -1 OFFSET ${mostBuilds})`,
    );
  }
}

const nameOf = (name: string): string => createHash('sha256').update(name).digest('hex');
