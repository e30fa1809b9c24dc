import { closeSync, openSync } from 'node:fs';
import { makeFifo, openOutputFifo, openPipe, removeFile } from '#linux';
import type { TaskName } from './protocol.ts';
import type { TaskStreams } from './task.ts';
import type { TaskStore } from './task-store.ts';

/** Both sides of a process's streams: ours for the task, theirs for the child, closed here after the spawn. */
export interface PreparedStreams {
  readonly ours: TaskStreams;
  /** stdin, stdout, stderr of the child. */
  readonly theirs: readonly number[];
  /** Closes our side as well: the process was not started. */
  discard(): void;
  closeTheirs(): void;
}

/** Makes and opens the streams of a new process. For a terminal they are only the OCI runtime's own: /dev/null. */
export function prepareStreams(
  store: TaskStore,
  name: TaskName,
  options: { tty: boolean; openStdin: boolean },
): PreparedStreams {
  const opened: number[] = [];
  const keep = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  const theirs: number[] = [];
  const closeAll = (fds: number[]): void => {
    for (const fd of fds.splice(0)) closeSync(fd);
  };
  try {
    const ours: { -readonly [K in keyof TaskStreams]: TaskStreams[K] } = {};
    if (options.openStdin && !options.tty) {
      // No FIFO: a program that opens /dev/stdin after the input has ended would wait for a writer for ever.
      const { read, write } = openPipe();
      ours.stdin = keep(write);
      theirs.push(read);
    } else {
      theirs.push(openSync('/dev/null', options.tty ? 'r+' : 'r'));
    }
    if (options.tty) {
      theirs.push(openSync('/dev/null', 'r+'), openSync('/dev/null', 'r+'));
    } else {
      for (const [index, stream] of (['stdout', 'stderr'] as const).entries()) {
        const ends = openOutputFifo(fifo(store, name, index + 1));
        ours[stream] = keep(ends.ours);
        theirs.push(ends.theirs);
      }
    }
    return {
      ours,
      theirs,
      closeTheirs: () => closeAll(theirs),
      discard() {
        closeAll(theirs);
        closeAll(opened);
        store.removeFifos(name);
      },
    };
  } catch (error) {
    closeAll(theirs);
    closeAll(opened);
    store.removeFifos(name);
    throw error;
  }
}

function fifo(store: TaskStore, name: TaskName, number: number): string {
  const path = store.path(name, number.toString());
  // One of an earlier run may still be held by a process.
  removeFile(path);
  makeFifo(path);
  return path;
}
