import { constants as os } from 'node:os';
import { bind, check, SystemError } from './libc.ts';

const socket = bind<(domain: number, type: number, protocol: number) => number>('int socket(int, int, int)');

const AF_UNIX = 1;
const types = { stream: 1, datagram: 2 } as const;
const CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const PATH_MAX = 107;

/**
 * struct sockaddr_un; a leading `@` names an abstract address. Throws SystemError of the `call` that it is for when the
 * path is longer than 107 bytes.
 */
export function unixAddress(path: string, call: string): Buffer {
  const name = Buffer.from(path);
  if (name.length > PATH_MAX) throw new SystemError(call, os.errno.ENAMETOOLONG, path);
  const abstract = path.startsWith('@');
  const address = Buffer.alloc(2 + name.length + (abstract ? 0 : 1));
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  if (abstract) address[2] = 0;
  return address;
}

/** A non-blocking, close-on-exec unix socket. The caller closes it. Throws SystemError. */
export const openUnixSocket = (type: keyof typeof types): number =>
  check(socket(AF_UNIX, types[type] | CLOEXEC_NONBLOCK, 0), 'socket');
