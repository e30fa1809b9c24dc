import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { bind, check } from './libc.ts';

const unshare = bind<(flags: number) => number>('int unshare(int flags)');
const setns = bind<(fd: number, type: number) => number>('int setns(int fd, int type)');
const mount = bind<
  (source: string, target: string, type: string | null, flags: number, data: string | null) => number
>(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const umount2 = bind<(target: string, flags: number) => number>('int umount2(const char *target, int flags)');

const CLONE_NEWNET = 0x40000000;
const MS_BIND = 0x1000;
const MNT_DETACH = 2;
const NSFS_MAGIC = 0x6e736673;
const own = '/proc/thread-self/ns/net';

/**
 * Runs `body` on this thread in another network namespace and comes back. `body` must be synchronous: whatever it
 * awaited would run elsewhere. If the way back fails the process cannot go on, and is ended.
 */
export function runInNetns<T>(fd: number, body: () => T extends PromiseLike<unknown> ? never : T): T {
  const home = openSync(own, 'r');
  try {
    check(setns(fd, CLONE_NEWNET), 'setns');
    try {
      return body();
    } finally {
      comeBack(home);
    }
  } finally {
    closeSync(home);
  }
}

function comeBack(home: number): void {
  if (setns(home, CLONE_NEWNET) < 0) {
    process.stderr.write('cannot return to the host network namespace\n');
    process.abort();
  }
}

/** Creates a network namespace that lives as long as the bind mount at `path`, which is made as well. */
export function createNetns(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  closeSync(openSync(path, 'wx', 0o444));
  const home = openSync(own, 'r');
  try {
    check(unshare(CLONE_NEWNET), 'unshare', 'network namespace');
    try {
      check(mount(own, path, null, MS_BIND, null), 'mount', path);
    } finally {
      comeBack(home);
    }
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(home);
  }
}

/** Whether `path` is a bind-mounted namespace, rather than the empty file that a reboot leaves. */
export function isNetns(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}

/** Unmounts and removes the file; the namespace goes once no process or descriptor holds it. Idempotent. */
export function removeNetns(path: string): void {
  if (!existsSync(path)) return;
  while (isNetns(path)) check(umount2(path, MNT_DETACH), 'umount2', path);
  rmSync(path, { force: true });
}

/** Opens the namespace for setns or IFLA_NET_NS_FD; close it with closeSync. */
export const openNetns = (path: string): number => openSync(path, 'r');

/** The namespaces that are mounted below a folder. */
export function listNetns(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const target = line.split(' ')[4];
      return target?.startsWith(`${folder}/`) && line.includes(' - nsfs ') ? [target] : [];
    });
}
