/** The dialects of tar that archives in the wild are written in. */
export type Dialect = 'v7' | 'ustar' | 'star' | 'gnu' | 'pax';
export type SparseVersion = 'old' | '0.0' | '0.1' | '1.0';

/** One entry as its bytes are wanted: with whatever a dialect can say, also what no sane program would write. */
export interface RawEntry {
  readonly name: Buffer;
  /** typeflag */
  readonly flag: string;
  readonly link?: Buffer;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Nanoseconds; only pax can tell less than a second. */
  readonly mtime?: bigint;
  readonly major?: number;
  readonly minor?: number;
  readonly data?: Buffer;
  /** What the header's own size field says, where that is not the truth. */
  readonly sizeField?: number;
  /** Records of its extended header, as they are. */
  readonly records?: readonly (readonly [string, Buffer])[];
  readonly sparse?: {
    readonly version: SparseVersion;
    readonly runs: readonly (readonly [offset: number, length: number])[];
    readonly size: number;
  };
}

const blockSize = 512;
const pad = (data: Buffer): Buffer =>
  Buffer.concat([data, Buffer.alloc((blockSize - (data.length % blockSize)) % blockSize)]);

/** Octal text, or base-256 where that cannot hold the number. */
function writeNumber(block: Buffer, at: number, length: number, value: number): void {
  if (value >= 0 && value < 8 ** (length - 1)) {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
    return;
  }
  let rest = BigInt(value);
  for (let index = at + length - 1; index >= at; index -= 1) {
    block[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[at] = (block[at] ?? 0) | 0x80;
}

/** The payload of an extended header: `<length> <key>=<value>\n` each. */
export function paxPayload(records: readonly (readonly [string, Buffer])[]): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
      let length = body.length;
      while (length !== body.length + String(length).length) length = body.length + String(length).length;
      return Buffer.concat([Buffer.from(String(length)), body]);
    }),
  );
}

const magics: Record<Dialect, string> = {
  v7: '',
  ustar: 'ustar\x0000',
  star: 'ustar\x0000',
  gnu: 'ustar  \0',
  pax: 'ustar\x0000',
};

function sealed(block: Buffer): Buffer {
  block.write('        ', 148, 'latin1');
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Puts the name where the dialect has it, over two fields if it is too long for one. */
function writeName(block: Buffer, whole: Buffer, dialect: Dialect): void {
  let name = whole;
  if (name.length > 100 && (dialect === 'ustar' || dialect === 'star')) {
    const at = name.subarray(0, dialect === 'star' ? 130 : 155).lastIndexOf(0x2f);
    name.copy(block, 345, 0, at);
    name = name.subarray(at + 1);
  }
  name.copy(block, 0, 0, 100);
}

function blockOf(entry: RawEntry, dialect: Dialect, stored: number): Buffer {
  const block = Buffer.alloc(blockSize);
  writeName(block, entry.name, dialect);
  const { uid = 0, gid = 0, mtime = 0n, major = 0, minor = 0 } = entry;
  const isGenerous = dialect === 'gnu' || dialect === 'star';
  const fit = (value: number): number => (isGenerous || (value >= 0 && value < 0o7777777) ? value : 0);
  writeNumber(block, 100, 8, entry.mode ?? 0o644);
  writeNumber(block, 108, 8, fit(uid));
  writeNumber(block, 116, 8, fit(gid));
  writeNumber(block, 124, 12, entry.sizeField ?? stored);
  const seconds = Number(mtime / 1_000_000_000n);
  writeNumber(block, 136, 12, isGenerous || seconds >= 0 ? seconds : 0);
  block.write(entry.flag, 156, 'latin1');
  entry.link?.copy(block, 157, 0, 100);
  block.write(magics[dialect], 257, 'latin1');
  if (dialect !== 'v7') {
    writeNumber(block, 329, 8, major);
    writeNumber(block, 337, 8, minor);
  }
  if (dialect === 'star') {
    block.write('00000000001 00000000002 ', 476, 'latin1');
    block.write('tar\0', 508, 'latin1');
  }
  return block;
}

/** An entry that describes the next one: a long name of GNU's, or an extended header. */
const described = (flag: string, payload: Buffer): Buffer =>
  Buffer.concat([
    sealed(
      blockOf({ name: Buffer.from('././@LongLink'), flag }, flag === 'x' ? 'pax' : 'gnu', payload.length),
    ),
    pad(payload),
  ]);

/** An extended header for everything that follows. */
export const globalHeader = (records: RawEntry['records'] & object): Buffer =>
  Buffer.concat([
    sealed(blockOf({ name: Buffer.from('pax_global_header'), flag: 'g' }, 'pax', paxPayload(records).length)),
    pad(paxPayload(records)),
  ]);

function oldSparse(block: Buffer, { runs, size }: RawEntry['sparse'] & object): Buffer {
  const put = (target: Buffer, at: number, [offset, length]: readonly [number, number]): void => {
    writeNumber(target, at, 12, offset);
    writeNumber(target, at + 12, 12, length);
  };
  runs.slice(0, 4).forEach((run, n) => put(block, 386 + 24 * n, run));
  writeNumber(block, 483, 12, size);
  const more: Buffer[] = [];
  for (let at = 4; at < runs.length; at += 21) {
    const next = Buffer.alloc(blockSize);
    runs.slice(at, at + 21).forEach((run, n) => put(next, 24 * n, run));
    next[504] = at + 21 < runs.length ? 1 : 0;
    more.push(next);
  }
  block[482] = more.length > 0 ? 1 : 0;
  return Buffer.concat([sealed(block), ...more]);
}

/** What the three formats of sparse files in pax say in their records. */
function sparseRecords(entry: RawEntry): { records: (readonly [string, Buffer])[]; before: Buffer } {
  const { sparse, name } = entry;
  if (!sparse || sparse.version === 'old') return { records: [], before: Buffer.alloc(0) };
  const { runs, size } = sparse;
  const text = (value: number | string): Buffer => Buffer.from(String(value));
  if (sparse.version === '1.0') {
    const map = pad(Buffer.from(`${[runs.length, ...runs.flat()].join('\n')}\n`));
    const records: [string, Buffer][] = [
      ['GNU.sparse.major', text(1)],
      ['GNU.sparse.minor', text(0)],
      ['GNU.sparse.name', name],
      ['GNU.sparse.realsize', text(size)],
    ];
    return { records, before: map };
  }
  const start: [string, Buffer][] = [
    ['GNU.sparse.size', text(size)],
    ['GNU.sparse.numblocks', text(runs.length)],
  ];
  const map: [string, Buffer][] =
    sparse.version === '0.1'
      ? [
          ['GNU.sparse.name', name],
          ['GNU.sparse.map', text(runs.flat().join(','))],
        ]
      : runs.flatMap(([offset, length]): [string, Buffer][] => [
          ['GNU.sparse.offset', text(offset)],
          ['GNU.sparse.numbytes', text(length)],
        ]);
  return { records: [...start, ...map], before: Buffer.alloc(0) };
}

/** The bytes of one entry in a dialect, with all that it needs before its own header. */
export function rawEntry(entry: RawEntry, dialect: Dialect): Buffer {
  const data = entry.data ?? Buffer.alloc(0);
  const before: Buffer[] = [];
  const { records: sparse, before: map } = sparseRecords(entry);
  const records = [...sparse, ...(entry.records ?? [])];
  if (records.length > 0) before.push(described('x', paxPayload(records)));
  if (dialect === 'gnu') {
    const zero = Buffer.alloc(1);
    if (entry.name.length > 100) before.push(described('L', Buffer.concat([entry.name, zero])));
    if ((entry.link?.length ?? 0) > 100)
      before.push(described('K', Buffer.concat([entry.link ?? zero, zero])));
  }
  const block = blockOf(entry, dialect, map.length + data.length);
  const header = entry.sparse?.version === 'old' ? oldSparse(block, entry.sparse) : sealed(block);
  return Buffer.concat([...before, header, map, pad(data)]);
}

export const endBlocks = (): Buffer => Buffer.alloc(2 * blockSize);
