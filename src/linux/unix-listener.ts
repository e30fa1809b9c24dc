import { chmodSync, chownSync } from 'node:fs';
import { constants as os } from 'node:os';
import { bind, check, close, SystemError } from './libc.ts';
import { openPidfd } from './process.ts';

const socket = bind<(domain: number, type: number, protocol: number) => number>('int socket(int, int, int)');
const bindSocket = bind<(fd: number, address: Uint8Array, length: number) => number>(
  'int bind(int, const void *, unsigned int)',
);
const listen = bind<(fd: number, backlog: number) => number>('int listen(int, int)');
const sendto = bind<
  (
    fd: number,
    data: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ) => number
>('long sendto(int, const void *, size_t, int, const void *, unsigned int)');
const syscall = bind<(number: number, ...rest: (string | number)[]) => number>('long syscall(long, ...)');

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const MSG_NOSIGNAL = 0x4000;
const SYS_PIDFD_GETFD = 438;
const PATH_MAX = 107;

/** struct sockaddr_un; a leading `@` names an abstract address. */
function encode(path: string): Buffer {
  const name = Buffer.from(path);
  if (name.length > PATH_MAX) throw new SystemError('bind', os.errno.ENAMETOOLONG, path);
  const address = Buffer.alloc(2 + name.length + (path.startsWith('@') ? 0 : 1));
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  if (path.startsWith('@')) address[2] = 0;
  return address;
}

/**
 * A non-blocking, close-on-exec unix socket that listens at a path nobody has (at most 107 bytes). Nobody can connect
 * before it has its mode and group. Closing it leaves its file. Throws SystemError, EADDRINUSE among them.
 */
export function openUnixListener(
  path: string,
  options: { readonly mode: number; readonly gid?: number; readonly backlog?: number },
): number {
  const address = encode(path);
  const fd = check(socket(AF_UNIX, SOCK_STREAM | CLOEXEC_NONBLOCK, 0), 'socket');
  try {
    check(bindSocket(fd, address, address.length), 'bind', path);
    chmodSync(path, options.mode);
    if (options.gid !== undefined) chownSync(path, -1, options.gid);
    check(listen(fd, options.backlog ?? 511), 'listen', path);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** One datagram to a unix socket, as service managers take notifications (sd_notify(3)). Throws SystemError. */
export function sendDatagram(path: string, text: string): void {
  const address = encode(path);
  const data = Buffer.from(text);
  const fd = check(socket(AF_UNIX, SOCK_DGRAM | CLOEXEC_NONBLOCK, 0), 'socket');
  try {
    check(sendto(fd, data, data.length, MSG_NOSIGNAL, address, address.length), 'sendto', path);
  } finally {
    close(fd);
  }
}

/**
 * A copy, close-on-exec, of another process's descriptor: the same open file. Needs the right to trace that process
 * (pidfd_getfd(2), Linux 5.6). Throws SystemError.
 */
export function copyDescriptor(pid: number, fd: number): number {
  const process = openPidfd(pid);
  if (process === undefined) throw new SystemError('pidfd_open', os.errno.ESRCH, String(pid));
  try {
    const copy = syscall(SYS_PIDFD_GETFD, 'int', process, 'int', fd, 'unsigned int', 0);
    return check(copy, 'pidfd_getfd', `${pid} ${fd}`);
  } finally {
    close(process);
  }
}
