import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { messageOf, type Clock, type Logger } from '#kernel';
import { exitCodeOfOrphan, openPidfd, pollNow, processStartTicks } from '#linux';
import { noLog, type LogSink } from './sink.ts';
import type { Supervisor } from './supervisor.ts';
import type { TaskRecord, TaskStore } from './task-store.ts';
import { Task, type TaskStreams } from './task.ts';

const POLL_MS = 100;

/**
 * Takes up the tasks of a supervisor that was killed. Their processes are no longer our children: an end that came
 * before us has an unknown exit code, a later one is seen by pidfd. Output comes again from their FIFOs, terminals are
 * lost.
 */
export function recoverTasks(supervisor: Supervisor): void {
  const { store, options } = supervisor;
  const orphans: Task[] = [];
  for (const record of store.load(options.logger)) {
    if (record.status === 'starting') {
      // The daemon was told that the start failed. What there is of it goes with delete().
      options.logger.warn({ container: record.containerId }, 'start was interrupted');
      store.remove(record);
      supervisor.interrupted(record);
      continue;
    }
    const task = new Task(record, reopenLog(supervisor, record), supervisor);
    supervisor.adopt(task);
    if (record.status === 'exited') {
      task.begin({});
      void task.finish();
    } else if (processStartTicks(record.pid) === record.startTicks && record.startTicks !== undefined) {
      task.begin(reopenStreams(store, record));
      orphans.push(task);
    } else {
      task.begin({});
      void gone(task, options.clock, options.logger);
    }
  }
  watchOrphans(orphans, options.clock, options.logger);
}

function reopenLog({ options }: Supervisor, { log, containerId }: TaskRecord): LogSink {
  if (!log) return noLog;
  try {
    return options.openLog(log, undefined);
  } catch (error) {
    options.logger.error({ container: containerId, error: messageOf(error) }, 'log cannot be opened');
    return noLog;
  }
}

function reopenStreams(store: TaskStore, record: TaskRecord): TaskStreams {
  if (record.tty) return {};
  const open = (number: number, flags: number): number | undefined => {
    try {
      return openSync(store.path(record, number.toString()), flags | constants.O_NONBLOCK);
    } catch {
      return undefined;
    }
  };
  return {
    stdin: record.openStdin ? reopenInput(record.pid) : undefined,
    stdout: open(1, constants.O_RDONLY),
    stderr: open(2, constants.O_RDONLY),
  };
}

/** The pipe under a process's stdin, while it is one. */
function reopenInput(pid: number): number | undefined {
  const path = `/proc/${pid}/fd/0`;
  try {
    if (!readlinkSync(path).startsWith('pipe:')) return undefined;
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

/** Not our children: their ends are looked for. */
function watchOrphans(tasks: readonly Task[], clock: Clock, logger: Logger): void {
  const watched = new Map<number, Task>();
  for (const task of tasks) {
    const pidfd = openPidfd(task.record.pid);
    if (pidfd === undefined) void gone(task, clock, logger);
    else watched.set(pidfd, task);
  }
  if (watched.size === 0) return;
  const timer = setInterval(() => {
    for (const { fd, readable } of pollNow([...watched.keys()])) {
      const task = watched.get(fd);
      if (!readable || !task) continue;
      const exitCode = exitCodeOfOrphan(task.record.pid, fd);
      closeSync(fd);
      watched.delete(fd);
      void gone(task, clock, logger, exitCode);
    }
    if (watched.size === 0) clearInterval(timer);
  }, POLL_MS);
}

async function gone(task: Task, clock: Clock, logger: Logger, exitCode?: number): Promise<void> {
  try {
    await task.exited({ exitCode, at: clock.now() });
  } catch (error) {
    logger.error({ task: task.key, error: messageOf(error) }, 'exit could not be recorded');
  }
}
