import { invalidArgument } from '#kernel';
import { blockSize, type SparseRun } from './header.ts';
import { parseDecimal, parseNumber } from './numbers.ts';

const badMap = (): Error => invalidArgument('invalid tar header: bad sparse map');
/** Bound on the map of one file, so that a lying header cannot fill the memory. */
const maximumRuns = 1 << 20;

function readPairs(block: Buffer, start: number, count: number, runs: SparseRun[]): void {
  for (let index = 0; index < count; index += 1) {
    const at = start + index * 24;
    if (block[at] === 0) return;
    runs.push({
      offset: parseNumber(block.subarray(at, at + 12)),
      length: parseNumber(block.subarray(at + 12, at + 24)),
    });
  }
}

/** Old GNU format: four runs in the header itself, more in the blocks that follow it. */
export function* readOldSparse(header: Buffer): Generator<number, SparseRun[], Buffer> {
  const runs: SparseRun[] = [];
  readPairs(header, 386, 4, runs);
  let more = header[482] !== 0;
  while (more) {
    const block = yield blockSize;
    if (block.length < blockSize || runs.length > maximumRuns) throw badMap();
    readPairs(block, 0, 21, runs);
    more = block[504] !== 0;
  }
  return runs;
}

/** PAX formats 0.0 and 0.1: `offset,length,offset,length…`. */
export function parseSparseMap(text: string): SparseRun[] {
  if (text === '') return [];
  const numbers = text.split(',').map(parseDecimal);
  if (numbers.length % 2 !== 0) throw badMap();
  const runs: SparseRun[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    runs.push({ offset: numbers[at] ?? 0, length: numbers[at + 1] ?? 0 });
  }
  return runs;
}

/** PAX format 1.0: the map stands in whole blocks before the data; `used` counts their bytes. */
export function* readNewSparse(): Generator<number, { runs: SparseRun[]; used: number }, Buffer> {
  let text = '';
  let used = 0;
  const more = function* (): Generator<number, void, Buffer> {
    const block = yield blockSize;
    if (block.length < blockSize || used > maximumRuns * 24) throw badMap();
    text += block.toString('latin1');
    used += blockSize;
  };
  let at = 0;
  const next = function* (): Generator<number, number, Buffer> {
    let end = text.indexOf('\n', at);
    while (end < 0) {
      yield* more();
      end = text.indexOf('\n', at);
    }
    const value = parseDecimal(text.slice(at, end));
    at = end + 1;
    return value;
  };
  const count = yield* next();
  if (count > maximumRuns) throw badMap();
  const runs: SparseRun[] = [];
  for (let index = 0; index < count; index += 1) {
    runs.push({ offset: yield* next(), length: yield* next() });
  }
  return { runs, used };
}

/** Throws unless runs are in order, within the file and together as long as what is stored. */
export function checkRuns(runs: readonly SparseRun[], size: number, stored: number): void {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of runs) {
    if (offset < end || offset + length > size) throw badMap();
    end = offset + length;
    sum += length;
  }
  if (sum !== stored) throw badMap();
}
