import { pathFromBytes, pathToBytes } from '#kernel';
import { bind, check, lastErrno, SystemError } from './libc.ts';

type Name = string | Uint8Array;
const terminated = (path: string): Name =>
  path.isWellFormed() ? path : Buffer.concat([pathToBytes(path), Buffer.of(0)]);

const setCall = bind<(path: Name, name: Name, value: Uint8Array, size: number, flags: number) => number>(
  'int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)',
);
const fsetCall = bind<(fd: number, name: Name, value: Uint8Array, size: number, flags: number) => number>(
  'int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)',
);
const getCall = bind<(path: Name, name: Name, value: Uint8Array, size: number) => number>(
  'long lgetxattr(const char *path, const char *name, void *value, size_t size)',
);
const fgetCall = bind<(fd: number, name: Name, value: Uint8Array, size: number) => number>(
  'long fgetxattr(int fd, const char *name, void *value, size_t size)',
);
const listCall = bind<(path: Name, list: Uint8Array, size: number) => number>(
  'long llistxattr(const char *path, void *list, size_t size)',
);
const flistCall = bind<(fd: number, list: Uint8Array, size: number) => number>(
  'long flistxattr(int fd, void *list, size_t size)',
);
const removeCall = bind<(path: Name, name: Name) => number>(
  'int lremovexattr(const char *path, const char *name)',
);

/** The most bytes that a value or a list of names can have (XATTR_SIZE_MAX, XATTR_LIST_MAX). */
const maximum = 65536;
const buffer = Buffer.alloc(maximum);
const errnos = { noData: 61, notSupported: 95 };

/** What is named by a path is taken itself, also when it is a symbolic link; a number is an open descriptor. */
type Target = string | number;

export function setXattr(target: Target, name: string, value: Uint8Array): void {
  const result =
    typeof target === 'number'
      ? fsetCall(target, terminated(name), value, value.length, 0)
      : setCall(terminated(target), terminated(name), value, value.length, 0);
  check(result, 'setxattr', `${name} on ${target}`);
}

/** The value, or undefined if there is no such attribute or the file system has none at all. */
export function getXattr(target: Target, name: string): Buffer | undefined {
  const length =
    typeof target === 'number'
      ? fgetCall(target, terminated(name), buffer, maximum)
      : getCall(terminated(target), terminated(name), buffer, maximum);
  if (length >= 0) return Buffer.from(buffer.subarray(0, length));
  const errno = lastErrno();
  if (errno === errnos.noData || errno === errnos.notSupported) return undefined;
  throw new SystemError('getxattr', errno, `${name} of ${target}`);
}

/** Names of all attributes, in the kernel's order; empty where the file system has none. */
export function listXattrs(target: Target): string[] {
  const length =
    typeof target === 'number'
      ? flistCall(target, buffer, maximum)
      : listCall(terminated(target), buffer, maximum);
  if (length < 0) {
    const errno = lastErrno();
    if (errno === errnos.notSupported) return [];
    throw new SystemError('listxattr', errno, String(target));
  }
  if (length === 0) return [];
  return pathFromBytes(buffer.subarray(0, length - 1)).split('\0');
}

/** Idempotent. */
export function removeXattr(path: string, name: string): void {
  if (removeCall(terminated(path), terminated(name)) >= 0) return;
  const errno = lastErrno();
  if (errno !== errnos.noData) throw new SystemError('removexattr', errno, `${name} of ${path}`);
}
