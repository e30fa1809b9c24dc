import { constants, openSync } from 'node:fs';
import { bind, check, close, lastErrno, SystemError } from './libc.ts';
import { constants as os } from 'node:os';

const mkfifo = bind<(path: string, mode: number) => number>('int mkfifo(const char *, unsigned int)');

/** mkfifo(3); an existing FIFO of that name is taken as it is. */
export function makeFifo(path: string, mode = 0o600): void {
  if (mkfifo(path, mode) < 0 && lastErrno() !== os.errno.EEXIST) {
    throw new SystemError('mkfifo', lastErrno(), path);
  }
}

const unlink = bind<(path: string) => number>('int unlink(const char *)');

/** unlink(2); that there is no such file is no error (and costs no exception). */
export function removeFile(path: string): void {
  if (unlink(path) < 0 && lastErrno() !== os.errno.ENOENT) {
    throw new SystemError('unlink', lastErrno(), path);
  }
}

/** Two open files of one FIFO: `theirs` for the child (blocking), `ours` non-blocking. The caller closes both. */
export interface FifoEnds {
  readonly ours: number;
  readonly theirs: number;
}

/**
 * Opens a FIFO for a child's output. The child's end is read-write, so that it gets no SIGPIPE while nobody reads;
 * ours is read-only, or it would never see the end.
 */
export function openOutputFifo(path: string): FifoEnds {
  const ours = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  // Four times the usual room halves the switches between a busy writer and us; a refusal leaves the usual.
  fcntl(ours, F_SETPIPE_SZ, 'int', OUTPUT_BYTES);
  try {
    return { ours, theirs: openSync(path, constants.O_RDWR) };
  } catch (error) {
    close(ours);
    throw error;
  }
}

const fcntl =
  bind<(fd: number, command: number, type: string, value: number) => number>('int fcntl(int, int, ...)');
const F_SETPIPE_SZ = 1031;
const OUTPUT_BYTES = 256 * 1024;
const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_ADD_SEALS = 1033;

/** Whether the descriptor closes when this process executes another program. */
export function setCloseOnExec(fd: number, closes: boolean): void {
  check(fcntl(fd, F_SETFD, 'int', closes ? FD_CLOEXEC : 0), 'fcntl', 'F_SETFD');
}

/** Whether the number is an open descriptor. */
export const isOpenFd = (fd: number): boolean => fcntl(fd, F_GETFD, 'int', 0) >= 0;

/** fcntl(F_ADD_SEALS) on a memfd. */
export function addSeals(fd: number, seals: number): void {
  check(fcntl(fd, F_ADD_SEALS, 'int', seals), 'fcntl', 'F_ADD_SEALS');
}
