import { bind, check, close, SystemError } from '../libc.ts';
import { attributeText, NLM_F, parseAttributes, splitMessages, type NetlinkMessage } from './message.ts';

const socket = bind<(domain: number, type: number, protocol: number) => number>(
  'int socket(int domain, int type, int protocol)',
);
const setsockopt = bind<
  (fd: number, level: number, name: number, value: Uint8Array, length: number) => number
>('int setsockopt(int fd, int level, int name, const void *value, unsigned int length)');
const send = bind<{
  (fd: number, bytes: Uint8Array, length: number, flags: number): number;
  async(
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    done: (error: Error | null, sent: number) => void,
  ): void;
}>('long send(int fd, const void *bytes, unsigned long length, int flags)');
const recv = bind<(fd: number, bytes: Uint8Array, length: number, flags: number) => number>(
  'long recv(int fd, void *bytes, unsigned long length, int flags)',
);

export type NetlinkFamily = 'route' | 'netfilter';
const protocols: Readonly<Record<NetlinkFamily, number>> = { route: 0, netfilter: 12 };
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
/** errno of an asynchronous call is lost with its thread; send(2) on a netlink socket hardly fails. */
const EIO = 5;

/** Requests are synchronous, so one buffer serves every socket of the thread. 32 KB is the kernel's own dump chunk. */
const received = Buffer.alloc(65536);

/**
 * A netlink socket of the network namespace in which the calling thread was when it was opened; it stays there.
 * The kernel answers within send(2), so requests are synchronous: 10–500 µs by what they do.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  readonly #family: NetlinkFamily;
  #sequence = 0;

  constructor(family: NetlinkFamily) {
    this.#family = family;
    this.#fd = check(socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocols[family]), 'socket', `netlink ${family}`);
    const one = Uint8Array.of(1, 0, 0, 0);
    setsockopt(this.#fd, SOL_NETLINK, NETLINK_CAP_ACK, one, 4);
    setsockopt(this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, one, 4);
  }

  /**
   * Sends a message and waits for its acknowledgement or the end of its dump. Returns the payloads received, copied.
   * Throws SystemError with the kernel's errno and, where it gives one, its explanation; `what` names the operation.
   */
  request(message: NetlinkMessage, what: string): Buffer[] {
    const bytes = this.#encode(message);
    check(send(this.#fd, bytes, bytes.length, 0), `netlink ${this.#family}`, what);
    return this.#receive(this.#sequence, what);
  }

  /**
   * The same for requests over which the kernel waits (deleting links: 16–28 ms), off the event loop. Nothing else may
   * be asked on this socket meanwhile.
   */
  async requestSlow(message: NetlinkMessage, what: string): Promise<Buffer[]> {
    const bytes = this.#encode(message);
    const sent = await new Promise<number>((resolve, reject) => {
      send.async(this.#fd, bytes, bytes.length, 0, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
    });
    if (sent < 0) throw new SystemError(`netlink ${this.#family}`, EIO, what);
    return this.#receive(this.#sequence, what);
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }

  #encode(message: NetlinkMessage): Buffer {
    const dump = (message.flags & NLM_F.dump) === NLM_F.dump && (message.flags & NLM_F.create) === 0;
    const bytes = message.encode(++this.#sequence);
    if (!dump) bytes.writeUInt16LE(message.flags | NLM_F.request | NLM_F.ack, 6);
    return bytes;
  }

  #receive(sequence: number, what: string): Buffer[] {
    const payloads: Buffer[] = [];
    for (;;) {
      const length = check(recv(this.#fd, received, received.length, 0), `netlink ${this.#family}`, what);
      for (const part of splitMessages(received.subarray(0, length))) {
        if (part.sequence !== sequence) continue;
        if (part.type === NLMSG_DONE) return payloads;
        if (part.type === NLMSG_ERROR) {
          const errno = -part.payload.readInt32LE(0);
          if (errno === 0) return payloads;
          throw new SystemError(
            `netlink ${this.#family}`,
            errno,
            what + explanation(part.flags, part.payload),
          );
        }
        payloads.push(Buffer.from(part.payload));
      }
    }
  }
}

/** The kernel's own words for an error: with CAP_ACK they follow the errno (4) and the request's header (16). */
function explanation(flags: number, payload: Buffer): string {
  if ((flags & NLM_F_ACK_TLVS) === 0) return '';
  const text = parseAttributes(payload.subarray(20)).get(NLMSGERR_ATTR_MSG);
  return text ? ` (${attributeText(text)})` : '';
}
