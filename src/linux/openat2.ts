import { constants } from 'node:fs';
import { pathToBytes } from '#kernel';
import { bind, check, close, lastErrno, SystemError } from './libc.ts';

/** How a path is resolved (openat2(2)). `root` treats the folder as `/`; `beneath` refuses to leave it (EXDEV). */
export type Resolution = 'root' | 'beneath';

export interface OpenOptions {
  /** O_* flags; O_CLOEXEC is added. */
  readonly flags: number;
  readonly mode?: number;
  readonly resolve: Resolution;
  /** Refuses symbolic links anywhere in the path (ELOOP). */
  readonly noSymlinks?: boolean;
  /** Refuses to cross mount points (EXDEV). */
  readonly noMounts?: boolean;
}

/** O_PATH: a descriptor that only stands for a place. */
export const oPath = 0o10000000;
const oCloexec = 0o2000000;
const sysOpenat2 = 437;
const resolveFlags = { noMounts: 1, noMagicLinks: 2, noSymlinks: 4, beneath: 8, root: 16 };
/** Kernels give EAGAIN when a rename elsewhere raced with a lookup of `..`; the lookup is simply repeated. */
const attempts = 64;

type Name = string | Uint8Array;
/** Names may carry escaped bytes (pathFromBytes()); the NUL is added here, and one inside is refused as the kernel cannot. */
function terminated(name: string): Name {
  if (name.includes('\0')) throw new RangeError(`a file name cannot contain NUL: ${JSON.stringify(name)}`);
  return name.isWellFormed() ? name : Buffer.concat([pathToBytes(name), Buffer.of(0)]);
}

const openat2Call = bind<(call: number, folder: number, path: Name, how: Uint8Array, size: number) => number>(
  'long syscall(long call, int folder, const char *path, void *how, size_t size)',
);
const openatCall = bind<(folder: number, path: Name, flags: number, mode: number) => number>(
  'int openat(int folder, const char *path, int flags, unsigned int mode)',
);
const mkdiratCall = bind<(folder: number, path: Name, mode: number) => number>(
  'int mkdirat(int folder, const char *path, unsigned int mode)',
);
const symlinkatCall = bind<(target: Name, folder: number, path: Name) => number>(
  'int symlinkat(const char *target, int folder, const char *path)',
);
const linkatCall = bind<(from: number, source: Name, to: number, path: Name, flags: number) => number>(
  'int linkat(int from, const char *source, int to, const char *path, int flags)',
);
const mknodatCall = bind<(folder: number, path: Name, mode: number, device: number | bigint) => number>(
  'int mknodat(int folder, const char *path, unsigned int mode, unsigned long device)',
);
const unlinkatCall = bind<(folder: number, path: Name, flags: number) => number>(
  'int unlinkat(int folder, const char *path, int flags)',
);
const fchownatCall = bind<(folder: number, path: Name, uid: number, gid: number, flags: number) => number>(
  'int fchownat(int folder, const char *path, unsigned int uid, unsigned int gid, int flags)',
);
const fchmodatCall = bind<(folder: number, path: Name, mode: number, flags: number) => number>(
  'int fchmodat(int folder, const char *path, unsigned int mode, int flags)',
);
const fchmodCall = bind<(fd: number, mode: number) => number>('int fchmod(int fd, unsigned int mode)');
const futimensCall = bind<(fd: number, times: Uint8Array) => number>('int futimens(int fd, void *times)');
const utimensatCall = bind<(folder: number, path: Name, times: Uint8Array, flags: number) => number>(
  'int utimensat(int folder, const char *path, void *times, int flags)',
);
const renameat2Call = bind<(from: number, source: Name, to: number, path: Name, flags: number) => number>(
  'int renameat2(int from, const char *source, int to, const char *path, unsigned int flags)',
);
const readlinkatCall = bind<(folder: number, path: Name, buffer: Uint8Array, size: number) => number>(
  'long readlinkat(int folder, const char *path, void *buffer, size_t size)',
);
const syncfsCall = bind<(fd: number) => number>('int syncfs(int fd)');

/** The current folder, for calls that take a folder's descriptor. */
export const atCwd = -100;
const removeFolder = 0x200;
const noFollow = 0x100;

/** Opens `path` under the folder without ever leaving it, whatever symbolic links say. Throws SystemError. */
export function openUnder(folder: number, path: string, options: OpenOptions): number {
  const how = new BigUint64Array(3);
  how[0] = BigInt(options.flags | oCloexec);
  how[1] = BigInt(options.mode ?? 0);
  how[2] = BigInt(
    resolveFlags[options.resolve] |
      resolveFlags.noMagicLinks |
      (options.noSymlinks ? resolveFlags.noSymlinks : 0) |
      (options.noMounts ? resolveFlags.noMounts : 0),
  );
  const name = terminated(path === '' ? '.' : path);
  const bytes = new Uint8Array(how.buffer);
  for (let attempt = 1; ; attempt += 1) {
    const fd = openat2Call(sysOpenat2, folder, name, bytes, bytes.length);
    if (fd >= 0) return fd;
    const errno = lastErrno();
    const again = errno === constantsOf.EAGAIN || errno === constantsOf.EINTR;
    if (!again || attempt === attempts) throw new SystemError('openat2', errno, path);
  }
}
const constantsOf = { EINTR: 4, EAGAIN: 11 };

/** Opens a folder under `root` as a place to work in (O_PATH); symbolic links resolve inside the root. */
export const openFolderUnder = (root: number, path: string): number =>
  openUnder(root, path, { flags: oPath | constants.O_DIRECTORY, resolve: 'root' });

/** openat(2) with O_CLOEXEC. Only for single names: a path with slashes follows symbolic links anywhere. */
export const openAt = (folder: number, name: string, flags: number, mode = 0): number =>
  check(openatCall(folder, terminated(name), flags | oCloexec, mode), 'openat', name);

export function makeFolderAt(folder: number, name: string, mode: number): void {
  check(mkdiratCall(folder, terminated(name), mode), 'mkdirat', name);
}

export function symlinkAt(target: string, folder: number, name: string): void {
  check(symlinkatCall(terminated(target), folder, terminated(name)), 'symlinkat', name);
}

/** A second name for a file; a symbolic link itself is linked, never what it points at. */
export function linkAt(from: number, source: string, to: number, name: string): void {
  check(linkatCall(from, terminated(source), to, terminated(name), 0), 'linkat', name);
}

/** The kernel's dev_t of glibc's makedev(3). */
export const makeDevice = (major: number, minor: number): bigint =>
  ((BigInt(major) & 0xfffff000n) << 32n) |
  ((BigInt(major) & 0xfffn) << 8n) |
  ((BigInt(minor) & 0xffffff00n) << 12n) |
  (BigInt(minor) & 0xffn);

export const deviceMajor = (device: bigint): number =>
  Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn));
export const deviceMinor = (device: bigint): number =>
  Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn));

/** `mode` includes the file type (S_IFCHR, S_IFBLK, S_IFIFO). */
export function makeNodeAt(folder: number, name: string, mode: number, device = 0n): void {
  check(mknodatCall(folder, terminated(name), mode, device), 'mknodat', name);
}

/** Removes a file, or with `folder` an empty folder. */
export function unlinkAt(parent: number, name: string, options: { folder?: boolean } = {}): void {
  check(unlinkatCall(parent, terminated(name), options.folder ? removeFolder : 0), 'unlinkat', name);
}

/** Never follows a symbolic link. */
export function chownAt(folder: number, name: string, uid: number, gid: number): void {
  check(fchownatCall(folder, terminated(name), uid, gid, noFollow), 'fchownat', name);
}

/** Follows a symbolic link, since links have no mode; call it only for names known not to be links. */
export function chmodAt(folder: number, name: string, mode: number): void {
  check(fchmodatCall(folder, terminated(name), mode, 0), 'fchmodat', name);
}

export function chmodFd(fd: number, mode: number): void {
  check(fchmodCall(fd, mode), 'fchmod');
}

const times = new BigInt64Array(4);
const timesBytes = new Uint8Array(times.buffer);
const second = 1_000_000_000n;

function fillTimes(access: bigint, modification: bigint): void {
  [access, modification].forEach((time, index) => {
    // The kernel wants non-negative nanoseconds, also before 1970.
    const nanos = ((time % second) + second) % second;
    times[index * 2] = (time - nanos) / second;
    times[index * 2 + 1] = nanos;
  });
}

/** Sets access and modification times (nanoseconds since the epoch); never follows a symbolic link. */
export function setTimesAt(folder: number, name: string, access: bigint, modification: bigint): void {
  fillTimes(access, modification);
  check(utimensatCall(folder, terminated(name), timesBytes, noFollow), 'utimensat', name);
}

/** The same for an open file. */
export function setTimesFd(fd: number, access: bigint, modification: bigint): void {
  fillTimes(access, modification);
  check(futimensCall(fd, timesBytes), 'futimens');
}

export function renameAt(
  from: number,
  source: string,
  to: number,
  name: string,
  options: { noReplace?: boolean; exchange?: boolean } = {},
): void {
  const flags = (options.noReplace ? 1 : 0) | (options.exchange ? 2 : 0);
  check(renameat2Call(from, terminated(source), to, terminated(name), flags), 'renameat2', source);
}

/** The target of a symbolic link, as its bytes. */
export function readLinkAt(folder: number, name: string): Buffer {
  const buffer = Buffer.alloc(4096);
  const length = check(readlinkatCall(folder, terminated(name), buffer, buffer.length), 'readlinkat', name);
  return buffer.subarray(0, length);
}

/** Flushes the whole file system that holds `fd`. */
export function syncFileSystem(fd: number): void {
  check(syncfsCall(fd), 'syncfs');
}

/** Opens `path` under `root`, runs `use` with the descriptor and closes it. */
export function withFolderUnder<T>(root: number, path: string, use: (fd: number) => T): T {
  const fd = openFolderUnder(root, path);
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}
