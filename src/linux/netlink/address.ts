import { NetlinkMessage, NLM_F, parseAttributes } from './message.ts';
import { decodeAddress, encodeAddress, type AddressFamily } from './ip.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const IFA = { address: 1, local: 2, broadcast: 4, flags: 8 } as const;
const IFA_F_NODAD = 2;

/** An address of a link. */
export interface LinkAddress {
  readonly index: number;
  readonly address: string;
  readonly prefixLength: number;
}

function header(family: AddressFamily | 0, prefixLength = 0, index = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(family, 0);
  bytes.writeUInt8(prefixLength, 1);
  bytes.writeUInt32LE(index, 4);
  return bytes;
}

/**
 * Adds an address, replacing an equal one. IPv4 gets the subnet's broadcast address; IPv6 skips duplicate address
 * detection, since the addresses are ours to give and waiting two seconds for it would break the first connection.
 */
export function addAddress(socket: NetlinkSocket, entry: LinkAddress): void {
  const { family, bytes } = encodeAddress(entry.address);
  const message = new NetlinkMessage(
    RTM_NEWADDR,
    NLM_F.create | NLM_F.replace,
    header(family, entry.prefixLength, entry.index),
  )
    .bytes(IFA.local, bytes)
    .bytes(IFA.address, bytes);
  if (family === 2 && entry.prefixLength < 31) {
    const hosts = 2 ** (32 - entry.prefixLength) - 1;
    const broadcast = Buffer.alloc(4);
    broadcast.writeUInt32BE((bytes.readUInt32BE() | hosts) >>> 0);
    message.bytes(IFA.broadcast, broadcast);
  }
  if (family === 10) message.u32(IFA.flags, IFA_F_NODAD);
  socket.request(message, `add address ${entry.address}/${entry.prefixLength}`);
}

export function removeAddress(socket: NetlinkSocket, entry: LinkAddress): void {
  const { family, bytes } = encodeAddress(entry.address);
  const message = new NetlinkMessage(RTM_DELADDR, 0, header(family, entry.prefixLength, entry.index));
  socket.request(message.bytes(IFA.local, bytes), `remove address ${entry.address}`);
}

/** Every address of every link. */
export function listAddresses(socket: NetlinkSocket): LinkAddress[] {
  const message = new NetlinkMessage(RTM_GETADDR, NLM_F.dump, header(0));
  return socket.request(message, 'list addresses').flatMap((payload) => {
    const attributes = parseAttributes(payload.subarray(8));
    const bytes = attributes.get(IFA.local) ?? attributes.get(IFA.address);
    if (!bytes) return [];
    return [
      { index: payload.readUInt32LE(4), address: decodeAddress(bytes), prefixLength: payload.readUInt8(1) },
    ];
  });
}
