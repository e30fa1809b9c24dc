import { RegistryError } from './registry-error.ts';

/** Bytes of a blob: `end` exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The one range that a Range header asks for (RFC 9110, section 14.1.2); undefined: the whole, as for several ranges
 * and for units other than bytes. Throws 416 when nothing of it lies within `size`.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  if (start >= end) {
    throw new RegistryError(416, 'SIZE_INVALID', 'the range lies outside of the blob', {
      headers: { 'Content-Range': `bytes */${size}` },
    });
  }
  return { start, end };
}

/** Content-Range of a chunk that is pushed: `first-last`, both counted in; undefined where there is none. */
export function parseChunkRange(header: string | undefined): ByteRange | undefined {
  if (header === undefined) return undefined;
  const match = /^(?:bytes )?(\d+)-(\d+)(?:\/\S+)?$/.exec(header.trim());
  const start = Number(match?.[1]);
  const end = Number(match?.[2]) + 1;
  if (!match || end <= start) {
    throw new RegistryError(416, 'BLOB_UPLOAD_INVALID', `invalid Content-Range ${JSON.stringify(header)}`);
  }
  return { start, end };
}
