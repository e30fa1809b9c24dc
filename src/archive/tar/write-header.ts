import { pathToBytes } from '#kernel';
import { blockSize, paddingOf, type TarHeader, type TarType } from './header.ts';
import { fitsOctal, formatPaxTime, writeOctal } from './numbers.ts';
import { formatPax, xattrPrefix, type PaxRecords } from './pax.ts';

const flags: Readonly<Record<TarType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  folder: '5',
  fifo: '6',
};

interface Fields {
  readonly name: Buffer;
  readonly prefix?: Buffer;
  readonly link: Buffer;
  readonly flag: string;
  readonly header: TarHeader;
  readonly size: number;
  readonly mtime: number;
}

function ustarBlock({ name, prefix, link, flag, header, size, mtime }: Fields): Buffer {
  const block = Buffer.alloc(blockSize);
  name.copy(block, 0, 0, 100);
  writeOctal(block, 100, 8, header.mode & 0o7777);
  writeOctal(block, 108, 8, header.uid);
  writeOctal(block, 116, 8, header.gid);
  writeOctal(block, 124, 12, size);
  writeOctal(block, 136, 12, mtime);
  block.write('        ', 148, 'latin1');
  block.write(flag, 156, 'latin1');
  link.copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 'latin1');
  pathToBytes(header.userName).copy(block, 265, 0, 31);
  pathToBytes(header.groupName).copy(block, 297, 0, 31);
  writeOctal(block, 329, 8, header.deviceMajor);
  writeOctal(block, 337, 8, header.deviceMinor);
  prefix?.copy(block, 345, 0, 155);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Splits a name over ustar's prefix and name at a slash, if there is a place for it. */
function splitName(name: Buffer): { prefix: Buffer; name: Buffer } | undefined {
  if (name.length > 256) return undefined;
  const at = name.subarray(0, Math.min(156, name.length - 1)).lastIndexOf(0x2f);
  if (at <= 0 || name.length - at - 1 > 100) return undefined;
  return { prefix: name.subarray(0, at), name: name.subarray(at + 1) };
}

function paxRecords(header: TarHeader, seconds: number): PaxRecords {
  const pax: PaxRecords = new Map();
  const isWhole = BigInt(seconds) * 1_000_000_000n === header.mtime;
  if (!isWhole || !fitsOctal(seconds, 12)) pax.set('mtime', Buffer.from(formatPaxTime(header.mtime)));
  if (!fitsOctal(header.size, 12)) pax.set('size', Buffer.from(String(header.size)));
  if (!fitsOctal(header.uid, 8)) pax.set('uid', Buffer.from(String(header.uid)));
  if (!fitsOctal(header.gid, 8)) pax.set('gid', Buffer.from(String(header.gid)));
  if (pathToBytes(header.userName).length > 31) pax.set('uname', pathToBytes(header.userName));
  if (pathToBytes(header.groupName).length > 31) pax.set('gname', pathToBytes(header.groupName));
  for (const [key, value] of header.xattrs) pax.set(xattrPrefix + key, Buffer.from(value));
  return pax;
}

const noLink = Buffer.alloc(0);

/**
 * The blocks that stand before an entry's data: one ustar block, preceded by a pax header where ustar cannot say
 * it all. Folders get their trailing slash. Equal headers give equal bytes. Sparse runs are not written: data
 * follows in full.
 */
export function formatHeader(header: TarHeader): Buffer {
  const full = header.type === 'folder' && !header.name.endsWith('/') ? `${header.name}/` : header.name;
  let name = pathToBytes(full);
  let prefix: Buffer | undefined;
  const link = header.linkName === '' ? noLink : pathToBytes(header.linkName);
  const seconds = Number(header.mtime / 1_000_000_000n);
  const pax = paxRecords(header, seconds);
  if (name.length > 100) {
    const split = splitName(name);
    if (split) ({ name, prefix } = split);
    else pax.set('path', name);
  }
  if (link.length > 100) pax.set('linkpath', link);
  const size = header.type === 'file' ? header.size : 0;
  const flag = flags[header.type];
  const block = ustarBlock({ name, ...(prefix && { prefix }), link, flag, header, size, mtime: seconds });
  if (pax.size === 0) return block;
  const payload = formatPax(pax);
  const base = full.replace(/\/+$/, '').split('/').pop() ?? '';
  const description = ustarBlock({
    name: pathToBytes(`PaxHeaders.0/${base}`).subarray(0, 99),
    link: noLink,
    flag: 'x',
    header: {
      ...header,
      mode: 0o644,
      uid: 0,
      gid: 0,
      userName: '',
      groupName: '',
      deviceMajor: 0,
      deviceMinor: 0,
    },
    size: payload.length,
    mtime: 0,
  });
  return Buffer.concat([description, payload, Buffer.alloc(paddingOf(payload.length)), block]);
}

/** The two zero blocks that end an archive. */
export const endOfArchive = (): Buffer => Buffer.alloc(2 * blockSize);
