import { createReadStream } from 'node:fs';
import { decompress, readTar, type PlacedEntry } from '#archive';

/** Whether a file is a tar, compressed or not: what ADD unpacks. */
export async function isArchive(from: PlacedEntry['from'], signal: AbortSignal): Promise<boolean> {
  if (typeof from !== 'string') return false;
  const input = createReadStream(from);
  try {
    const { stream } = await decompress(input, { signal });
    const first = await readTar(stream).next();
    return first.done !== true;
  } catch {
    signal.throwIfAborted();
    return false;
  } finally {
    input.destroy();
  }
}
