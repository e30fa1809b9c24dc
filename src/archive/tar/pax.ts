import { invalidArgument, pathFromBytes, pathToBytes } from '#kernel';

/** Records of an extended header (POSIX pax), in order; values stay bytes, since xattrs are binary. */
export type PaxRecords = Map<string, Buffer>;

/** The key under which a file's extended attribute travels. */
export const xattrPrefix = 'SCHILY.xattr.';

const malformed = (): Error => invalidArgument('invalid tar header: malformed extended header');

/**
 * Parses `<length> <key>=<value>\n` records. GNU's sparse format 0.0 repeats two keys: those are gathered under
 * GNU.sparse.map, as format 0.1 writes them.
 */
export function parsePax(payload: Buffer): PaxRecords {
  const records: PaxRecords = new Map();
  const sparse: string[] = [];
  for (let at = 0; at < payload.length;) {
    const space = payload.indexOf(0x20, at);
    const length = space < 0 ? NaN : Number(payload.toString('latin1', at, space));
    const end = at + length;
    if (!Number.isInteger(length) || length < 5 || end > payload.length || payload[end - 1] !== 0x0a) {
      throw malformed();
    }
    const equals = payload.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw malformed();
    const key = pathFromBytes(payload.subarray(space + 1, equals));
    const value = Buffer.from(payload.subarray(equals + 1, end - 1));
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparse.push(value.toString('latin1'));
    else records.set(key, value);
    at = end;
  }
  if (sparse.length > 0) records.set('GNU.sparse.map', Buffer.from(sparse.join(',')));
  return records;
}

/** The payload of an extended header, with keys in order, so that equal headers make equal archives. */
export function formatPax(records: PaxRecords): Buffer {
  const parts: Buffer[] = [];
  for (const key of [...records.keys()].sort()) {
    const body = Buffer.concat([
      Buffer.from(' '),
      pathToBytes(key),
      Buffer.from('='),
      records.get(key) ?? Buffer.alloc(0),
      Buffer.from('\n'),
    ]);
    // The length counts its own digits.
    let length = body.length;
    while (length !== body.length + String(length).length) length = body.length + String(length).length;
    parts.push(Buffer.from(String(length)), body);
  }
  return Buffer.concat(parts);
}
