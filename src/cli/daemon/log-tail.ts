import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { errnoOf } from '#kernel';

/** The last ten lines of a log, at most 4 KiB, of what was written behind `from`; empty without a log. */
export function logTail(path: string, from = 0): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const start = Math.max(from, size - 4096);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    readSync(file, buffer, 0, buffer.length, start);
    return buffer.toString().trimEnd().split('\n').slice(-10).join('\n');
  } finally {
    closeSync(file);
  }
}
