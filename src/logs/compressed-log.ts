import { createReadStream, createWriteStream, type BigIntStats } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { errnoOf } from '#kernel';

/** Compressed rotated files: `path.1.gz`. */
export const compressedPath = (path: string): string => `${path}.gz`;

const MARK = 'wharf-log ';
const MEMBER_HEAD = Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 3]);
/** An empty deflate block, CRC and length of nothing. */
const MEMBER_TAIL = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Names a log file for its whole life, renames and compression included; never that of another file. */
export const identityOf = ({ ino, birthtimeNs }: BigIntStats): string => `${ino}-${birthtimeNs}`;

export const identityOfOpen = async (handle: FileHandle): Promise<string> =>
  identityOf(await handle.stat({ bigint: true }));

/** The identity that a compressed file had before; its own when another program made it. */
export async function compressedIdentity(handle: FileHandle): Promise<string> {
  const head = Buffer.alloc(128);
  const { bytesRead } = await handle.read(head, 0, head.length, 0);
  const start = MEMBER_HEAD.length;
  const comment = head.toString(
    'latin1',
    start,
    Math.max(start, head.subarray(0, bytesRead).indexOf(0, start)),
  );
  return comment.startsWith(MARK) ? comment.slice(MARK.length) : identityOfOpen(handle);
}

/**
 * Puts `path.gz` in the place of a file that is written no more. Its first member is empty and carries the file's
 * identity as a comment, so that readers know it again. A file that was removed meanwhile stays removed.
 */
export async function compressLog(path: string): Promise<void> {
  const source = await open(path, 'r');
  const part = `${compressedPath(path)}.part`;
  try {
    const identity = await identityOfOpen(source);
    const target = createWriteStream(part, { mode: 0o640 });
    target.write(Buffer.concat([MEMBER_HEAD, Buffer.from(`${MARK}${identity}\0`), MEMBER_TAIL]));
    await pipeline(
      createReadStream(path, { fd: source.fd, autoClose: false }),
      createGzip({ level: 1 }),
      target,
    );
    if ((await stat(path)).ino !== (await source.stat()).ino) return;
    await rename(part, compressedPath(path));
    await rm(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  } finally {
    await source.close();
    await rm(part, { force: true });
  }
}

/** The contents of a compressed file, in a file without a name beside it. */
export async function inflateLog(compressed: FileHandle, path: string): Promise<FileHandle> {
  const name = `${path}.read-${randomBytes(6).toString('hex')}`;
  const handle = await open(name, 'wx+', 0o600);
  try {
    await rm(name);
    const source = createReadStream('', { fd: compressed.fd, autoClose: false, start: 0 });
    await pipeline(
      source,
      createGunzip(),
      createWriteStream('', { fd: handle.fd, autoClose: false, start: 0 }),
    );
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
