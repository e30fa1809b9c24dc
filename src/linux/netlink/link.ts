import { attributeText, NetlinkMessage, NLM_F, parseAttributes } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const IFLA = { address: 1, name: 3, mtu: 4, master: 10, linkInfo: 18, alias: 20, netnsFd: 28 } as const;
const INFO = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const VETH_INFO_PEER = 1;
const BRPORT = { hairpin: 4, isolated: 33 } as const;
const IFF_UP = 1;

/** A network interface, as a dump shows it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
  /** Index of the bridge it is a port of. */
  readonly master?: number;
  /** `bridge`, `veth`, …; undefined for physical ones. */
  readonly kind?: string;
  readonly alias?: string;
  /** `02:42:…` */
  readonly macAddress?: string;
}

function header(index = 0, flags = 0, change = 0, family = 0): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt8(family, 0);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(change, 12);
  return bytes;
}

const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');

function parseLink(payload: Buffer): Link {
  const attributes = parseAttributes(payload.subarray(16));
  const info = attributes.get(IFLA.linkInfo);
  const kind = info && parseAttributes(info).get(INFO.kind);
  const alias = attributes.get(IFLA.alias);
  const mac = attributes.get(IFLA.address);
  const master = attributes.get(IFLA.master);
  return {
    index: payload.readInt32LE(4),
    name: attributeText(attributes.get(IFLA.name) ?? Buffer.alloc(0)),
    up: (payload.readUInt32LE(8) & IFF_UP) !== 0,
    mtu: attributes.get(IFLA.mtu)?.readUInt32LE() ?? 0,
    ...(master && { master: master.readUInt32LE() }),
    ...(kind && { kind: attributeText(kind) }),
    ...(alias && { alias: attributeText(alias) }),
    ...(mac && { macAddress: mac.toString('hex').replace(/..(?=.)/g, '$&:') }),
  };
}

/** Every link of the namespace. */
export function listLinks(socket: NetlinkSocket): Link[] {
  return socket.request(new NetlinkMessage(RTM_GETLINK, NLM_F.dump, header()), 'list links').map(parseLink);
}

/** The link of that name, or undefined. */
export function findLink(socket: NetlinkSocket, name: string): Link | undefined {
  try {
    const message = new NetlinkMessage(RTM_GETLINK, 0, header()).string(IFLA.name, name);
    return socket.request(message, `find link ${name}`).map(parseLink)[0];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENODEV') return undefined;
    throw error;
  }
}

/** Creates a bridge, down. A fixed MAC keeps it from taking over that of whatever port comes and goes. */
export function createBridge(
  socket: NetlinkSocket,
  bridge: { name: string; macAddress: string; mtu: number },
): void {
  const message = new NetlinkMessage(RTM_NEWLINK, NLM_F.create | NLM_F.excl, header())
    .string(IFLA.name, bridge.name)
    .bytes(IFLA.address, macBytes(bridge.macAddress))
    .u32(IFLA.mtu, bridge.mtu)
    .nest(IFLA.linkInfo, (info) => info.string(INFO.kind, 'bridge'));
  socket.request(message, `create bridge ${bridge.name}`);
}

/** One end in the socket's namespace as a port of `master`, the other created at once inside `netnsFd`; both down. */
export interface VethPair {
  readonly name: string;
  readonly master: number;
  readonly mtu: number;
  readonly peer: { readonly name: string; readonly macAddress: string; readonly netnsFd: number };
}

export function createVeth(socket: NetlinkSocket, pair: VethPair): void {
  const message = new NetlinkMessage(RTM_NEWLINK, NLM_F.create | NLM_F.excl, header())
    .string(IFLA.name, pair.name)
    .u32(IFLA.mtu, pair.mtu)
    .u32(IFLA.master, pair.master)
    .nest(IFLA.linkInfo, (info) =>
      info
        .string(INFO.kind, 'veth')
        .nest(INFO.data, (data) =>
          data.nest(
            VETH_INFO_PEER,
            (peer) =>
              peer
                .string(IFLA.name, pair.peer.name)
                .bytes(IFLA.address, macBytes(pair.peer.macAddress))
                .u32(IFLA.mtu, pair.mtu)
                .u32(IFLA.netnsFd, pair.peer.netnsFd),
            header(),
          ),
        ),
    );
  socket.request(message, `create veth ${pair.name}`);
}

export interface LinkChanges {
  readonly up?: boolean;
  readonly master?: number;
  readonly alias?: string;
  readonly mtu?: number;
  readonly name?: string;
  /** Moves it to another namespace. */
  readonly netnsFd?: number;
  /** Of a bridge's port: frames may leave by the port they came in. */
  readonly hairpin?: boolean;
  /** Of a bridge's port: frames do not pass between isolated ports. */
  readonly isolated?: boolean;
}

/** Changes a link in one request. */
export function changeLink(socket: NetlinkSocket, index: number, changes: LinkChanges): void {
  const change = changes.up === undefined ? 0 : IFF_UP;
  const message = new NetlinkMessage(RTM_NEWLINK, 0, header(index, changes.up ? IFF_UP : 0, change));
  if (changes.name !== undefined) message.string(IFLA.name, changes.name);
  if (changes.mtu !== undefined) message.u32(IFLA.mtu, changes.mtu);
  if (changes.alias !== undefined) message.string(IFLA.alias, changes.alias);
  if (changes.netnsFd !== undefined) message.u32(IFLA.netnsFd, changes.netnsFd);
  if (changes.master !== undefined) message.u32(IFLA.master, changes.master);
  const { hairpin, isolated } = changes;
  if (hairpin !== undefined || isolated !== undefined) {
    message.nest(IFLA.linkInfo, (info) =>
      info.string(INFO.slaveKind, 'bridge').nest(INFO.slaveData, (data) => {
        if (hairpin !== undefined) data.u8(BRPORT.hairpin, Number(hairpin));
        if (isolated !== undefined) data.u8(BRPORT.isolated, Number(isolated));
      }),
    );
  }
  socket.request(message, `change link ${index}`);
}

/**
 * Deletes a link; of a veth both ends. The kernel waits for an RCU grace period (16–28 ms), on another thread here: use
 * a socket of its own. Cheaper is to give up the namespace of the peer, where that is possible.
 */
export async function deleteLink(socket: NetlinkSocket, index: number): Promise<void> {
  await socket.requestSlow(new NetlinkMessage(RTM_DELLINK, 0, header(index)), `delete link ${index}`);
}
