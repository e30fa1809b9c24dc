import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '#kernel';
import { removeFile } from '#linux';
import type { LogConfig, RuntimeProgram } from '../runtime.ts';
import { taskKey, type TaskName, type WireTask } from './protocol.ts';

/** What must outlive the supervisor, one JSON file a task. */
export interface TaskRecord extends Omit<WireTask, 'status'> {
  /** `starting`: the OCI runtime was called and has not answered; nobody was told of the task. */
  readonly status: 'starting' | WireTask['status'];
  readonly bundle: string | undefined;
  /** The container's own OCI runtime, if it is not ours. */
  readonly runtime?: RuntimeProgram | undefined;
  readonly cgroup: string | undefined;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly log: LogConfig | undefined;
  /** The process's start in clock ticks since boot, by which its pid is told from a later one. */
  readonly startTicks: string | undefined;
  /** A daemon has taken note of the exit. */
  readonly acknowledged: boolean;
}

/**
 * The folder `tasks/` of the run folder, which is on tmpfs: `<container>[.<exec>].json` is replaced by rename at each
 * transition, before anyone is told of it; beside it lie the task's FIFOs `.0`, `.1` and `.2`.
 */
export class TaskStore {
  readonly #folder: string;

  constructor(runFolder: string) {
    this.#folder = join(runFolder, 'tasks');
  }

  start(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** A file of the task's own, for FIFOs and what an OCI runtime reads and writes. */
  path(name: TaskName, suffix: string): string {
    return join(this.#folder, `${taskKey(name)}.${suffix}`);
  }

  save(record: TaskRecord): void {
    const path = this.path(record, 'json');
    writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  remove(name: TaskName): void {
    for (const suffix of ['json', '0', '1', '2']) removeFile(this.path(name, suffix));
  }

  removeFifos(name: TaskName): void {
    for (const suffix of ['1', '2']) removeFile(this.path(name, suffix));
  }

  /** Every record; a file that cannot be read is reported and passed over. */
  load(logger: Logger): TaskRecord[] {
    const records: TaskRecord[] = [];
    for (const file of readdirSync(this.#folder)) {
      if (!file.endsWith('.json')) continue;
      try {
        // Only this class writes these files.
        records.push(JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as TaskRecord);
      } catch (error) {
        logger.error({ file, error: String(error) }, 'task record cannot be read');
      }
    }
    return records;
  }
}

/** A task as clients see it; undefined while it is being started. */
export function wireTask(record: TaskRecord): WireTask | undefined {
  if (record.status === 'starting') return undefined;
  const { containerId, execId, status, pid, startedAt, exitedAt, exitCode, oomKilled } = record;
  const exit = exitedAt === undefined ? {} : { exitedAt, exitCode, oomKilled: oomKilled ?? false };
  return { containerId, execId, status, pid, startedAt, ...exit };
}
