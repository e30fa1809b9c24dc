import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** One file of a tree in transfer. Shapes as in fsutil's `Stat`. */
export interface FileStat {
  /** Relative, with slashes, as the sender wrote it: not checked. */
  readonly path: string;
  /** Go's os.FileMode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** bytes */
  readonly size: number;
  /** nanoseconds since the epoch */
  readonly modTime: bigint;
  /** Target of a symbolic link; for a hard link the path of the first file. */
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** The messages of a transfer; `id` counts the stats in their order, from 0. */
export type Packet =
  | { readonly type: 'stat'; readonly stat: FileStat | undefined }
  | { readonly type: 'request'; readonly id: number }
  | { readonly type: 'data'; readonly id: number; readonly data: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly message: string };

const types = ['stat', 'request', 'data', 'end', 'error'] as const;

/** Throws RangeError for what is no packet. */
export function decodePacket(bytes: Uint8Array): Packet {
  const reader = new BinaryReader(bytes);
  let type = 0;
  let id = 0;
  let data: Uint8Array = new Uint8Array();
  let stat: FileStat | undefined;
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1) type = reader.int32();
    else if (field === 2) stat = decodeStat(reader.bytes());
    else if (field === 3) id = reader.uint32();
    else if (field === 4) data = reader.bytes();
    else reader.skip(wire, field);
  }
  switch (types[type]) {
    case 'stat':
      return { type: 'stat', stat };
    case 'request':
      return { type: 'request', id };
    case 'data':
      return { type: 'data', id, data };
    case 'end':
      return { type: 'end' };
    case 'error':
      return { type: 'error', message: Buffer.from(data).toString() };
    default:
      throw new RangeError(`unknown packet type ${type}`);
  }
}

export function encodePacket(packet: Packet): Uint8Array {
  const writer = new BinaryWriter();
  const type = types.indexOf(packet.type);
  if (type !== 0) writer.tag(1, WireType.Varint).int32(type);
  if (packet.type === 'stat' && packet.stat) {
    writer.tag(2, WireType.LengthDelimited).bytes(encodeStat(packet.stat));
  }
  if ((packet.type === 'request' || packet.type === 'data') && packet.id !== 0) {
    writer.tag(3, WireType.Varint).uint32(packet.id);
  }
  if (packet.type === 'data' && packet.data.length > 0) {
    writer.tag(4, WireType.LengthDelimited).bytes(packet.data);
  }
  if (packet.type === 'error') writer.tag(4, WireType.LengthDelimited).string(packet.message);
  return writer.finish();
}

/** Of nothing: what a stat holds where nothing is said. */
export const emptyStat: FileStat = {
  path: '',
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  modTime: 0n,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: new Map(),
};

function decodeStat(bytes: Uint8Array): FileStat {
  const reader = new BinaryReader(bytes);
  const stat = { ...emptyStat };
  const xattrs = new Map<string, Uint8Array>();
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1) stat.path = reader.string();
    else if (field === 2) stat.mode = reader.uint32();
    else if (field === 3) stat.uid = reader.uint32();
    else if (field === 4) stat.gid = reader.uint32();
    else if (field === 5) stat.size = Number(reader.int64());
    else if (field === 6) stat.modTime = BigInt(reader.int64());
    else if (field === 7) stat.linkname = reader.string();
    else if (field === 8) stat.devmajor = Number(reader.int64());
    else if (field === 9) stat.devminor = Number(reader.int64());
    else if (field === 10) addXattr(xattrs, reader.bytes());
    else reader.skip(wire, field);
  }
  return { ...stat, xattrs };
}

function addXattr(xattrs: Map<string, Uint8Array>, entry: Uint8Array): void {
  const reader = new BinaryReader(entry);
  let name = '';
  let value: Uint8Array = new Uint8Array();
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1) name = reader.string();
    else if (field === 2) value = reader.bytes();
    else reader.skip(wire, field);
  }
  xattrs.set(name, value);
}

function encodeStat(stat: FileStat): Uint8Array {
  const writer = new BinaryWriter();
  const text = (field: number, value: string): void => {
    if (value !== '') writer.tag(field, WireType.LengthDelimited).string(value);
  };
  const small = (field: number, value: number): void => {
    if (value !== 0) writer.tag(field, WireType.Varint).uint32(value);
  };
  const large = (field: number, value: bigint | number): void => {
    if (value !== 0n && value !== 0) writer.tag(field, WireType.Varint).int64(value.toString());
  };
  text(1, stat.path);
  small(2, stat.mode);
  small(3, stat.uid);
  small(4, stat.gid);
  large(5, stat.size);
  large(6, stat.modTime);
  text(7, stat.linkname);
  large(8, stat.devmajor);
  large(9, stat.devminor);
  for (const [name, value] of stat.xattrs) {
    const entry = new BinaryWriter();
    entry.tag(1, WireType.LengthDelimited).string(name);
    entry.tag(2, WireType.LengthDelimited).bytes(value);
    writer.tag(10, WireType.LengthDelimited).bytes(entry.finish());
  }
  return writer.finish();
}
