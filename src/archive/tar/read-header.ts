import { invalidArgument, pathFromBytes, type EngineError } from '#kernel';
import { blockSize, paddingOf, type StoredHeader, type TarType } from './header.ts';
import { parseDecimal, parseNumber, parsePaxTime } from './numbers.ts';
import { parsePax, xattrPrefix, type PaxRecords } from './pax.ts';
import { checkRuns, parseSparseMap, readNewSparse, readOldSparse } from './sparse.ts';

/** The most bytes that an extended header or a long name may have. */
const maximumMeta = 4 << 20;

export const truncated = (name?: string): EngineError =>
  invalidArgument(
    `archive is truncated: unexpected EOF${name === undefined ? '' : ` in ${JSON.stringify(name)}`}`,
  );

const types: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'folder',
  D: 'folder',
  '6': 'fifo',
};

function field(block: Buffer, at: number, length: number): string {
  const zero = block.indexOf(0, at);
  return pathFromBytes(block.subarray(at, zero < 0 || zero > at + length ? at + length : zero));
}

function isZero(block: Buffer): boolean {
  for (let at = 0; at < blockSize; at += 4) if (block.readInt32LE(at) !== 0) return false;
  return true;
}

/** The sum is over the block with its own field as spaces; some old programs summed signed bytes. */
function verifyChecksum(block: Buffer): void {
  let sum = 8 * 0x20;
  let high = 0;
  for (let at = 0; at < blockSize; at += 1) {
    if (at === 148) at = 156;
    const byte = block[at] ?? 0;
    sum += byte;
    if (byte > 127) high += 1;
  }
  const claimed = parseNumber(block.subarray(148, 156));
  if (claimed !== sum && claimed !== sum - high * 256) {
    throw invalidArgument('invalid tar header: the checksum does not match');
  }
}

/** What extended headers and long-name entries said about the entry that follows them. */
interface Pending {
  pax: PaxRecords;
  name?: string;
  linkName?: string;
}

function* readMeta(size: number): Generator<number, Buffer, Buffer> {
  if (size > maximumMeta) throw invalidArgument('invalid tar header: the extended header is too long');
  const payload = yield size + paddingOf(size);
  if (payload.length < size + paddingOf(size)) throw truncated();
  return payload.subarray(0, size);
}

const withoutNul = (payload: Buffer): string => {
  const zero = payload.indexOf(0);
  return pathFromBytes(zero < 0 ? payload : payload.subarray(0, zero));
};

/** Takes in an entry that only describes the next one. Returns false for a real entry. */
function* readDescription(
  block: Buffer,
  type: string,
  pending: Pending,
  globals: PaxRecords,
): Generator<number, boolean, Buffer> {
  if (!'xXgLKV'.includes(type)) return false;
  const payload = yield* readMeta(parseNumber(block.subarray(124, 136)));
  if (type === 'x' || type === 'X') pending.pax = parsePax(payload);
  else if (type === 'g') for (const [key, value] of parsePax(payload)) globals.set(key, value);
  else if (type === 'L') pending.name = withoutNul(payload);
  else if (type === 'K') pending.linkName = withoutNul(payload);
  return true;
}

/** Name, with ustar's prefix; GNU's own magic uses those bytes for times instead. */
function blockName(block: Buffer): string {
  const name = field(block, 0, 100);
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? field(block, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function xattrsOf(pax: PaxRecords): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  if (pax.size === 0) return xattrs;
  for (const [key, value] of pax) {
    if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), value);
  }
  return xattrs;
}

/** The fields of a header, an extended header's word first. */
class Fields {
  readonly #block: Buffer;
  readonly #pax: PaxRecords;

  constructor(block: Buffer, pax: PaxRecords) {
    this.#block = block;
    this.#pax = pax;
  }

  pax(key: string): string | undefined {
    const value = this.#pax.get(key);
    return value && value.length > 0 ? pathFromBytes(value) : undefined;
  }

  text(key: string, at: number, length: number): string {
    return this.pax(key) ?? field(this.#block, at, length);
  }

  number(key: string, at: number, length: number): number {
    const value = this.pax(key);
    return value === undefined ? parseNumber(this.#block.subarray(at, at + length)) : parseDecimal(value);
  }
}

/** Version 7 archives mark folders only by the slash. */
function kindOfEntry(type: string, name: string): TarType {
  const kind = types[type];
  if (kind === undefined) {
    throw invalidArgument(
      `invalid tar header: unknown type ${JSON.stringify(type)} of ${JSON.stringify(name)}`,
    );
  }
  return kind === 'file' && type !== 'S' && name.endsWith('/') ? 'folder' : kind;
}

function linkNameOf(kind: TarType, block: Buffer, pending: Pending, fields: Fields): string {
  if (kind !== 'hardlink' && kind !== 'symlink') return '';
  return fields.pax('linkpath') ?? pending.linkName ?? field(block, 157, 100);
}

function baseHeader(block: Buffer, type: string, pending: Pending, pax: PaxRecords): StoredHeader {
  const fields = new Fields(block, pax);
  const name = fields.pax('GNU.sparse.name') ?? fields.pax('path') ?? pending.name ?? blockName(block);
  const kind = kindOfEntry(type, name);
  const isDevice = kind === 'character' || kind === 'block';
  const size = fields.number('size', 124, 12);
  const linkName = linkNameOf(kind, block, pending, fields);
  if (name === '' || name.includes('\0') || linkName.includes('\0') || size < 0) {
    throw invalidArgument(`invalid tar header: bad name or size of ${JSON.stringify(name)}`);
  }
  return {
    name,
    type: kind,
    linkName,
    mode: parseNumber(block.subarray(100, 108)) & 0o7777,
    uid: fields.number('uid', 108, 8),
    gid: fields.number('gid', 116, 8),
    userName: fields.text('uname', 265, 32),
    groupName: fields.text('gname', 297, 32),
    size: kind === 'file' ? size : 0,
    mtime: mtimeOf(fields.pax('mtime'), block),
    deviceMajor: isDevice ? parseNumber(block.subarray(329, 337)) : 0,
    deviceMinor: isDevice ? parseNumber(block.subarray(337, 345)) : 0,
    xattrs: xattrsOf(pax),
    // Links, devices and the like have no data, whatever their size field says; GNU's dumped folders do.
    stored: kind === 'file' || type === 'D' ? size : 0,
  };
}

const mtimeOf = (pax: string | undefined, block: Buffer): bigint =>
  pax === undefined ? BigInt(parseNumber(block.subarray(136, 148))) * 1_000_000_000n : parsePaxTime(pax);

function* withSparse(
  header: StoredHeader,
  block: Buffer,
  type: string,
  pax: PaxRecords,
): Generator<number, StoredHeader, Buffer> {
  const number = (key: string): number | undefined => {
    const value = pax.get(key);
    return value ? parseDecimal(value.toString('latin1')) : undefined;
  };
  let { stored } = header;
  let size: number;
  let sparse;
  if (type === 'S') {
    size = parseNumber(block.subarray(483, 495));
    sparse = yield* readOldSparse(Buffer.from(block));
  } else if (number('GNU.sparse.major') === 1) {
    size = number('GNU.sparse.realsize') ?? header.size;
    const map = yield* readNewSparse();
    sparse = map.runs;
    stored -= map.used;
  } else {
    const map = pax.get('GNU.sparse.map');
    if (!map) return header;
    size = number('GNU.sparse.realsize') ?? number('GNU.sparse.size') ?? header.size;
    sparse = parseSparseMap(map.toString('latin1'));
  }
  checkRuns(sparse, size, stored);
  return { ...header, size, stored, sparse };
}

/**
 * Reads one entry's header: POSIX ustar and pax, GNU and version 7. A generator that asks for bytes, so that one
 * parser serves blocking and streaming readers: it yields how many it needs and is given a buffer of that
 * length, a shorter one only at the end of the input (which it keeps no reference to). Returns undefined at the
 * archive's end. `globals` lives as long as the archive. Throws invalidArgument.
 */
export function* readHeader(globals: PaxRecords): Generator<number, StoredHeader | undefined, Buffer> {
  const pending: Pending = { pax: new Map() };
  let described = false;
  let zeros = 0;
  for (;;) {
    const block = yield blockSize;
    if (block.length < blockSize) {
      if (block.length > 0 || described) throw truncated();
      return undefined;
    }
    if (isZero(block)) {
      if (described) throw truncated();
      zeros += 1;
      if (zeros === 2) return undefined;
      continue;
    }
    if (zeros > 0) throw invalidArgument('invalid tar header: a lone zero block');
    verifyChecksum(block);
    const type = String.fromCharCode(block[156] ?? 0);
    if (yield* readDescription(block, type, pending, globals)) {
      described ||= type !== 'g' && type !== 'V';
      continue;
    }
    const pax = globals.size === 0 ? pending.pax : new Map([...globals, ...pending.pax]);
    const header = baseHeader(block, type, pending, pax);
    return header.type === 'file' ? yield* withSparse(header, block, type, pax) : header;
  }
}
