import { constants as os } from 'node:os';
import { bind, check, close, lastErrno, SystemError } from './libc.ts';
import { openUnixSocket, unixAddress } from './unix-address.ts';

const connectSocket = bind<(fd: number, address: Uint8Array, length: number) => number>(
  'int connect(int, const void *, unsigned int)',
);
const sendData = bind<(fd: number, data: Uint8Array, length: number, flags: number) => number>(
  'long send(int, const void *, size_t, int)',
);

const MSG_NOSIGNAL = 0x4000;

/** A socket for datagrams to a unix path, such as those of syslog and the journal; node:dgram knows only IP. */
export class UnixDatagramSocket implements Disposable {
  #fd: number;
  readonly #path: string;

  /** Throws SystemError: ENOENT, ECONNREFUSED, EPROTOTYPE for a stream socket. */
  constructor(path: string) {
    const address = unixAddress(path, 'connect');
    this.#path = path;
    this.#fd = openUnixSocket('datagram');
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

/** One datagram to a unix socket, as service managers take notifications (sd_notify(3)). Throws SystemError. */
export function sendDatagram(path: string, text: string): void {
  using socket = new UnixDatagramSocket(path);
  if (!socket.send(Buffer.from(text))) throw new SystemError('send', os.errno.EAGAIN, path);
}
