import { closeSync, constants, openSync } from 'node:fs';
import { bind } from './libc.ts';

const ioctlCall = bind<(fd: number, request: bigint, data: Uint8Array) => number>(
  'int ioctl(int fd, unsigned long request, void *data)',
);
/** linux/fs.h; the argument is an int, whatever the numbers say. */
const getFlags = 0x80086601n;
const setFlags = 0x40086602n;
const topFolder = 0x20000;

/**
 * Tells ext2, 3 and 4 that what lies in the subfolders of a folder has little to do with each other (`chattr +T`): each
 * gets a block group of its own. Without a journal, new inodes step over all those of their group that were freed in
 * the last minutes, which makes a tree of 8,000 files take 3 s instead of 0.2 beside one that was removed. Elsewhere
 * this does nothing.
 */
export function spreadSubfolders(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const flags = Buffer.alloc(8);
    if (ioctlCall(fd, getFlags, flags) < 0) return;
    const before = flags.readUInt32LE(0);
    if ((before & topFolder) !== 0) return;
    flags.writeUInt32LE((before | topFolder) >>> 0, 0);
    ioctlCall(fd, setFlags, flags);
  } finally {
    closeSync(fd);
  }
}
