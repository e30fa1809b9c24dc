import { readFileSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { bind, check, lastErrno, SystemError } from './libc.ts';
import { exitCodeOf } from './wait.ts';

const prctl = bind<(option: number, value: number, a: number, b: number, c: number) => number>(
  'int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)',
);
const PR_SET_CHILD_SUBREAPER = 36;

/** Orphans among this process's descendants become its children; kept across execve(2). */
export function becomeSubreaper(): void {
  check(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl', 'PR_SET_CHILD_SUBREAPER');
}

/**
 * When a process started, in clock ticks since boot (proc_pid_stat(5), field 22): with the pid it names one process
 * for ever. Undefined when there is none or it is a zombie.
 */
export function processStartTicks(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19];
}

/** The fields of /proc/<pid>/stat from the third, the state, on. */
function statFields(pid: number): string[] | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may itself hold parentheses and blanks.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const setScheduler = bind<(pid: number, policy: number, parameters: Int32Array) => number>(
  'int sched_setscheduler(int, int, const int *)',
);
const SCHED_RR = 2;
const SCHED_RESET_ON_FORK = 0x40000000;

/**
 * Lets a process run before ordinary ones whenever it can; what it forks is ordinary again (sched(7)). False where
 * the host allows no real-time scheduling.
 */
export function hurry(pid: number): boolean {
  return setScheduler(pid, SCHED_RR | SCHED_RESET_ON_FORK, Int32Array.of(1)) === 0;
}

const ownOomScore = '/proc/self/oom_score_adj';

/** Runs `body`, which is synchronous, with another oom_score_adj (-1000 to 1000): children keep what they inherit. */
export function withOomScore<T>(score: number | undefined, body: () => T): T {
  const own = score === undefined ? undefined : readFileSync(ownOomScore, 'latin1').trim();
  if (own === undefined || own === String(score)) return body();
  try {
    writeFileSync(ownOomScore, String(score));
  } catch {
    // A lower score than one's own takes CAP_SYS_RESOURCE.
    return body();
  }
  try {
    return body();
  } finally {
    writeFileSync(ownOomScore, own);
  }
}

const syscall = bind<(number: number, ...rest: (string | number)[]) => number>('long syscall(long, ...)');
const SYS_PIDFD_OPEN = 434;

/** pidfd_open(2), close-on-exec; undefined when no such process is left. The caller closes it. */
export function openPidfd(pid: number): number | undefined {
  const fd = syscall(SYS_PIDFD_OPEN, 'int', pid, 'unsigned int', 0);
  if (fd >= 0) return fd;
  if (lastErrno() === os.errno.ESRCH) return undefined;
  throw new SystemError('pidfd_open', lastErrno());
}

const ioctl = bind<(fd: number, request: number, type: string, argument: Uint8Array) => number>(
  'int ioctl(int, unsigned long, ...)',
);
const PIDFD_GET_INFO = 0xc040ff0b;
const PIDFD_INFO_EXIT = 8n;
const INFO_BYTES = 64;

/**
 * How a process ended that is not our child, when its pidfd has become readable: while it is a zombie from
 * proc_pid_stat(5), field 52, later by PIDFD_INFO_EXIT of kernels from 6.15 on. Undefined where neither tells.
 */
export function exitCodeOfOrphan(pid: number, pidfd: number): number | undefined {
  const fields = statFields(pid);
  if (fields?.[0] === 'Z') return exitCodeOf(Number(fields[49]));
  const info = Buffer.alloc(INFO_BYTES);
  info.writeBigUInt64LE(PIDFD_INFO_EXIT, 0);
  if (ioctl(pidfd, PIDFD_GET_INFO, 'void *', info) < 0) return undefined;
  const known = (info.readBigUInt64LE(0) & PIDFD_INFO_EXIT) !== 0n;
  return known ? exitCodeOf(info.readInt32LE(INFO_BYTES - 4)) : undefined;
}

const flock = bind<(fd: number, operation: number) => number>('int flock(int, int)');
const LOCK_EX = 2;
const LOCK_NB = 4;

/** Takes the file's exclusive lock, held until its last descriptor closes; false when another process has it. */
export function tryLockFile(fd: number): boolean {
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  if (lastErrno() === os.errno.EWOULDBLOCK) return false;
  throw new SystemError('flock', lastErrno());
}
