import { constants } from 'node:os';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const errnoNames = new Map(Object.entries(constants.errno).map(([name, code]) => [code, name]));
const strerror = libc.func('const char *strerror(int)') as (code: number) => string;

/** A failed system call. `code` is the errno name, `syscall` the call, as on Node's own errors. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, detail = '') {
    super(`${syscall}${detail && ` ${detail}`}: ${strerror(errno).toLowerCase()}`);
    this.syscall = syscall;
    this.errno = errno;
    this.code = errnoNames.get(errno) ?? `E${String(errno)}`;
  }
}

/** The errno left by the last foreign call on this thread. */
export const lastErrno = (): number => koffi.errno();

/**
 * Binds a libc function by its C prototype. The caller states the TypeScript shape: koffi checks arguments at
 * run time against the prototype, so a wrong shape throws instead of corrupting memory.
 */
export function bind<F>(prototype: string): F {
  // koffi's own type is a loose function; the prototype is the contract.
  return libc.func(prototype) as unknown as F;
}

/** Passes through a non-negative result of a system call, throws SystemError with the current errno otherwise. */
export function check(result: number, syscall: string, detail?: string): number {
  if (result < 0) throw new SystemError(syscall, lastErrno(), detail);
  return result;
}

const closeFd = bind<(fd: number) => number>('int close(int)');

/** close(2); errors are thrown, since a wrong descriptor is a bug. */
export function close(fd: number): void {
  check(closeFd(fd), 'close');
}
