import { closeSync } from 'node:fs';
import { bind, check } from './libc.ts';
import { encodeAddress } from './netlink/ip.ts';

const socket = bind<(domain: number, type: number, protocol: number) => number>(
  'int socket(int domain, int type, int protocol)',
);
const bindSocket = bind<(fd: number, address: Uint8Array, length: number) => number>(
  'int bind(int fd, const void *address, unsigned int length)',
);
const listen = bind<(fd: number, backlog: number) => number>('int listen(int fd, int backlog)');
const getsockname = bind<(fd: number, address: Uint8Array, length: Uint8Array) => number>(
  'int getsockname(int fd, void *address, void *length)',
);
const setsockopt = bind<
  (fd: number, level: number, name: number, value: Uint8Array, length: number) => number
>('int setsockopt(int fd, int level, int name, const void *value, unsigned int length)');
const dup = bind<(fd: number, command: number, least: number) => number>(
  'int fcntl(int fd, int command, int least)',
);

export type SocketProtocol = 'tcp' | 'udp' | 'sctp';
const CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const types: Readonly<Record<SocketProtocol, readonly [type: number, protocol: number]>> = {
  tcp: [1, 0],
  udp: [2, 0],
  sctp: [1, 132],
};
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const F_DUPFD_CLOEXEC = 1030;
const one = Uint8Array.of(1, 0, 0, 0);

function encode(address: string, port: number): Buffer {
  const { family, bytes } = encodeAddress(address);
  const result = Buffer.alloc(family === 2 ? 16 : 28);
  result.writeUInt16LE(family, 0);
  result.writeUInt16BE(port, 2);
  bytes.copy(result, family === 2 ? 4 : 8);
  return result;
}

/**
 * A non-blocking socket bound to an address of the thread's network namespace; stream sockets listen. IPv6 ones take
 * IPv6 only. Port 0 lets the kernel choose. Synchronous; hand the descriptor to node:net or node:dgram, or closeSync it.
 * Throws SystemError, EADDRINUSE among them.
 */
export function openListener(
  protocol: SocketProtocol,
  address: string,
  port: number,
  backlog = 511,
): { fd: number; port: number } {
  const name = encode(address, port);
  const [type, number] = types[protocol];
  const what = `${address} port ${port}/${protocol}`;
  const fd = check(socket(name.readUInt16LE(0), type | CLOEXEC_NONBLOCK, number), 'socket', what);
  try {
    // For UDP it would let two sockets share the port.
    if (protocol !== 'udp') setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one, 4);
    if (name.length === 28) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, one, 4);
    check(bindSocket(fd, name, name.length), 'bind', what);
    if (protocol !== 'udp') check(listen(fd, backlog), 'listen', what);
    return { fd, port: port || localPort(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * A non-blocking TCP socket of the thread's network namespace, neither bound nor connected: give it to net.Socket and
 * connect there. (net.connect itself would make its socket a tick later, and so in the wrong namespace.)
 */
export function openStreamSocket(family: 4 | 6): number {
  return check(socket(family === 4 ? 2 : 10, 1 | CLOEXEC_NONBLOCK, 0), 'socket', 'tcp');
}

function localPort(fd: number): number {
  const name = Buffer.alloc(28);
  const length = Uint8Array.of(28, 0, 0, 0);
  check(getsockname(fd, name, length), 'getsockname');
  return name.readUInt16BE(2);
}

/** A second descriptor of the same open file. */
export const duplicate = (fd: number): number =>
  check(dup(fd, F_DUPFD_CLOEXEC, 0), 'fcntl', 'F_DUPFD_CLOEXEC');
