import { closeSync, constants, openSync } from 'node:fs';
import { bind, check } from './libc.ts';

const ioctlCall = bind<(fd: number, request: bigint, data: Uint8Array) => number>(
  'int ioctl(int fd, unsigned long request, void *data)',
);
/** quotactl_fd(2), which libc does not have: of Linux 5.14 and newer. */
const quotactlCall = bind<
  (call: number, fd: number, command: number, id: number, data: Uint8Array) => number
>('long syscall(long call, int fd, int command, unsigned int id, void *data)');
const quotactlNumber = 443;

/** struct fsxattr (linux/fs.h): flags, extent size, extents, project, and 12 bytes more. */
const fsxattr = { size: 28, flags: 0, project: 12, inherit: 0x200 } as const;
const getFsxattr = 0x801c581fn;
const setFsxattr = 0x401c5820n;

/** linux/dqblk_xfs.h: these commands serve ext4 as well. */
const setLimitCommand = 0x5804;
const stateCommand = 0x5805;
const projectQuota = 2;
const projectEnforced = 1 << 5;
const command = (code: number): number => (code << 8) | projectQuota;
/** struct fs_disk_quota: what is set, for whom, and the limits in blocks of 512 bytes. */
const limits = { size: 112, version: 1, flags: 1, mask: 2, id: 4, hard: 8, soft: 16, both: 0b1100 } as const;

function withFolder<T>(folder: string, use: (fd: number) => T): T {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whether the file system of a folder counts its projects and enforces their limits: xfs or ext4 with `prjquota`. */
export function hasProjectQuotas(folder: string): boolean {
  return withFolder(folder, (fd) => {
    const state = Buffer.alloc(160);
    state[0] = 1;
    if (quotactlCall(quotactlNumber, fd, command(stateCommand), 0, state) < 0) return false;
    return (state.readUInt16LE(2) & projectEnforced) !== 0;
  });
}

/**
 * Puts an empty folder, and all that is made in it later, into a project of at most `bytes`. The project is one that
 * nothing else on the file system belongs to. Throws SystemError.
 */
export function limitFolder(folder: string, project: number, bytes: number): void {
  withFolder(folder, (fd) => {
    const attributes = Buffer.alloc(fsxattr.size);
    check(ioctlCall(fd, getFsxattr, attributes), 'FS_IOC_FSGETXATTR', folder);
    attributes.writeUInt32LE(attributes.readUInt32LE(fsxattr.flags) | fsxattr.inherit, fsxattr.flags);
    attributes.writeUInt32LE(project, fsxattr.project);
    check(ioctlCall(fd, setFsxattr, attributes), 'FS_IOC_FSSETXATTR', folder);
    setLimit(fd, project, bytes);
  });
}

/** Forgets what limitFolder() set for a folder that goes; one in another project, or in none, is left alone. */
export function unlimitFolder(folder: string, project: number): void {
  withFolder(folder, (fd) => {
    const attributes = Buffer.alloc(fsxattr.size);
    if (ioctlCall(fd, getFsxattr, attributes) < 0) return;
    if (attributes.readUInt32LE(fsxattr.project) === project) setLimit(fd, project, 0);
  });
}

function setLimit(fd: number, project: number, bytes: number): void {
  const quota = Buffer.alloc(limits.size);
  quota[0] = limits.version;
  quota[limits.flags] = projectQuota;
  quota.writeUInt16LE(limits.both, limits.mask);
  quota.writeUInt32LE(project, limits.id);
  const blocks = BigInt(Math.floor(bytes / 512));
  quota.writeBigUInt64LE(blocks, limits.hard);
  quota.writeBigUInt64LE(blocks, limits.soft);
  const result = quotactlCall(quotactlNumber, fd, command(setLimitCommand), project, quota);
  check(result, 'quotactl_fd', `of project ${project}`);
}
