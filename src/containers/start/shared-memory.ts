import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mountTmpfs, unmountIfMounted } from '#linux';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { defaultShmSize } from '../spec/default-paths.ts';
import type { SpecMount } from '../spec/oci-spec.ts';
import { bundleOf } from './container-paths.ts';
import { ipcDonor } from './namespaces.ts';

const guarded = ['nosuid', 'noexec', 'nodev'] as const;

/** Where the shared memory lies that others may join: on the host, so that a bind mount reaches it. */
const folderOf = (ctx: ContainerContext, id: string): string => join(bundleOf(ctx, id), 'shm');

const sizeOf = ({ hostConfig }: ContainerRecord): number =>
  hostConfig.ShmSize ? hostConfig.ShmSize : defaultShmSize;

const bound = (source: string): SpecMount => ({
  destination: '/dev/shm',
  type: 'bind',
  source,
  options: ['rbind', 'rprivate'],
});

/**
 * Makes /dev/shm for the container's IPC mode: none, the host's, that of the container whose namespace it joins, one
 * that others may join, or one of its own. Answers how to mount it. Throws notFound and conflict for a container
 * that cannot be joined.
 */
export async function openSharedMemory(
  ctx: ContainerContext,
  record: ContainerRecord,
): Promise<readonly SpecMount[]> {
  const { IpcMode: mode = '' } = record.hostConfig;
  if (mode === 'none') return [];
  if (mode === 'host') return [bound('/dev/shm')];
  const donor = ipcDonor(mode, (ref) => ctx.store.get(ref));
  if (donor) return [bound(donor.hostConfig.IpcMode === 'host' ? '/dev/shm' : folderOf(ctx, donor.id))];
  if (mode === 'shareable') {
    const folder = folderOf(ctx, record.id);
    await mkdir(folder, { recursive: true });
    mountTmpfs(folder, { data: `mode=1777,size=${sizeOf(record)}` });
    return [bound(folder)];
  }
  const options = [...guarded, 'mode=1777', `size=${sizeOf(record)}`];
  return [{ destination: '/dev/shm', type: 'tmpfs', source: 'shm', options }];
}

/** Gives back what openSharedMemory() made; what runs in the container keeps it. Idempotent. */
export function closeSharedMemory(ctx: ContainerContext, id: string): Promise<void> {
  unmountIfMounted(folderOf(ctx, id), { lazy: true });
  return Promise.resolve();
}
