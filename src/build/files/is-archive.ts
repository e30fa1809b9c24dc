import { decompress, readTar, type FileRange } from '#archive';
import { streamRange } from './file-range.ts';

/** Whether contents are a tar, compressed or not: what ADD unpacks. */
export async function isArchive(contents: FileRange, signal: AbortSignal): Promise<boolean> {
  const input = streamRange(contents);
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
