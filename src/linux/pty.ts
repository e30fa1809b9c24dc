import { constants, fchownSync, fstatSync, unlinkSync } from 'node:fs';
import { constants as os } from 'node:os';
import koffi from 'koffi';
import { bind, check, close, lastErrno, SystemError } from './libc.ts';
import { openUnixSocket, unixAddress } from './unix-address.ts';

const bindSocket = bind<(fd: number, address: Uint8Array, length: number) => number>(
  'int bind(int, const void *, unsigned int)',
);
const listen = bind<(fd: number, backlog: number) => number>('int listen(int, int)');
const accept4 = bind<(fd: number, address: null, length: null, flags: number) => number>(
  'int accept4(int, void *, void *, int)',
);
const recvmsg = bind<(fd: number, header: Uint8Array, flags: number) => number>(
  'long recvmsg(int, void *, int)',
);
const ioctl = bind<(fd: number, request: number, type: string, argument: Uint8Array | number) => number>(
  'int ioctl(int, unsigned long, ...)',
);

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const O_CLOEXEC = 0o2000000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const TIOCSWINSZ = 0x5414;
const TIOCGPTPEER = 0x5441;

/** Where an OCI runtime hands over a terminal (`--console-socket`). Closing it removes its file. */
export interface ConsoleSocket extends Disposable {
  readonly path: string;
  /** The pty's master, close-on-exec; undefined when the runtime sent none. The caller closes it. */
  receive(): number | undefined;
}

/** Listens on a new unix socket at `path` (≤ 107 bytes). The runtime does not wait for an answer: receive after it ended. */
export function openConsoleSocket(path: string): ConsoleSocket {
  const address = unixAddress(path, 'bind');
  const fd = openUnixSocket('stream');
  try {
    check(bindSocket(fd, address, address.length), 'bind', path);
    check(listen(fd, 4), 'listen', path);
  } catch (error) {
    close(fd);
    throw error;
  }
  return {
    path,
    receive: () => receiveFrom(fd),
    [Symbol.dispose]() {
      close(fd);
      unlinkSync(path);
    },
  };
}

function receiveFrom(listener: number): number | undefined {
  const connection = accept4(listener, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (connection < 0) {
    if (lastErrno() === os.errno.EAGAIN) return undefined;
    throw new SystemError('accept4', lastErrno());
  }
  try {
    return receiveFd(connection);
  } finally {
    close(connection);
  }
}

/** One descriptor by SCM_RIGHTS (unix(7)); the message's bytes are dropped. */
function receiveFd(connection: number): number | undefined {
  const data = Buffer.alloc(4096);
  const control = Buffer.alloc(64);
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(koffi.address(data), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags.
  const header = Buffer.alloc(56);
  header.writeBigUInt64LE(koffi.address(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(koffi.address(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  check(recvmsg(connection, header, MSG_CMSG_CLOEXEC), 'recvmsg');
  // struct cmsghdr: 8 bytes of length, level, type, then the descriptor.
  return header.readBigUInt64LE(40) >= 20n ? control.readInt32LE(16) : undefined;
}

/** Sets a terminal's size through its master; the foreground programs get SIGWINCH. */
export function setTerminalSize(fd: number, rows: number, columns: number): void {
  const size = new Uint16Array([rows, columns, 0, 0]);
  check(ioctl(fd, TIOCSWINSZ, 'void *', new Uint8Array(size.buffer)), 'ioctl', 'TIOCSWINSZ');
}

/**
 * Makes the user own a terminal, so that its programs can open it by name; through its master, in any namespace.
 * Throws SystemError when they have all ended.
 */
export function setTerminalOwner(fd: number, uid: number): void {
  const flags = constants.O_RDWR | constants.O_NOCTTY | O_CLOEXEC;
  const terminal = check(ioctl(fd, TIOCGPTPEER, 'int', flags), 'ioctl', 'TIOCGPTPEER');
  try {
    fchownSync(terminal, uid, fstatSync(terminal).gid);
  } finally {
    close(terminal);
  }
}
