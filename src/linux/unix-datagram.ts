import { constants as os } from 'node:os';
import { bind, check, close, lastErrno, SystemError } from './libc.ts';

const socket = bind<(domain: number, type: number, protocol: number) => number>('int socket(int, int, int)');
const connectSocket = bind<(fd: number, address: Uint8Array, length: number) => number>(
  'int connect(int, const void *, unsigned int)',
);
const sendData = bind<(fd: number, data: Uint8Array, length: number, flags: number) => number>(
  'long send(int, const void *, size_t, int)',
);

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const MSG_NOSIGNAL = 0x4000;
const PATH_MAX = 107;

/** A socket for datagrams to a unix path, such as those of syslog and the journal; node:dgram knows only IP. */
export class UnixDatagramSocket implements Disposable {
  #fd: number;
  readonly #path: string;

  /** Throws SystemError: ENOENT, ECONNREFUSED, EPROTOTYPE for a stream socket. */
  constructor(path: string) {
    const name = Buffer.from(path);
    if (name.length > PATH_MAX) throw new SystemError('connect', os.errno.ENAMETOOLONG, path);
    const address = Buffer.alloc(2 + name.length + 1);
    address.writeUInt16LE(AF_UNIX, 0);
    name.copy(address, 2);
    this.#path = path;
    this.#fd = check(socket(AF_UNIX, SOCK_DGRAM | CLOEXEC_NONBLOCK, 0), 'socket');
    try {
      check(connectSocket(this.#fd, address, address.length), 'connect', path);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /** False when the receiver's queue is full: try again later. Throws SystemError, EMSGSIZE among them. */
  send(data: Uint8Array): boolean {
    if (sendData(this.#fd, data, data.length, MSG_NOSIGNAL) >= 0) return true;
    if (lastErrno() === os.errno.EAGAIN) return false;
    throw new SystemError('send', lastErrno(), this.#path);
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }
}
