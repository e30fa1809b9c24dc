import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ArchiveSource, FileRange, PlacedEntry } from '#archive';
import type { StoredContents } from '../contexts/tree.ts';

/** Where contents are that a store has in a file of this folder. */
export const rangeOf = ({ file, offset }: StoredContents, size: number, folder: string): FileRange => ({
  file: `${folder}/${file}`,
  offset,
  size,
});

/** The range that an entry is made of; undefined for one that is made of something else. */
export const rangeIn = (from: PlacedEntry['from']): FileRange | undefined =>
  from && 'file' in from ? from : undefined;

export const streamRange = ({ file, offset, size }: FileRange): Readable =>
  size === 0 ? Readable.from([]) : createReadStream(file, { start: offset, end: offset + size - 1 });

export const readRange = (range: FileRange): Promise<Buffer> => buffer(streamRange(range));

/** An archive as it is read fastest. */
export async function archiveIn(range: FileRange): Promise<ArchiveSource> {
  const isWhole = range.offset === 0 && (await stat(range.file)).size === range.size;
  return isWhole ? { path: range.file } : { stream: streamRange(range) };
}
