import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '#kernel';

const folders = ['dev', 'dev/pts', 'dev/shm', 'etc', 'proc', 'sys'];
const files = ['.dockerenv', 'dev/console', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf'];

/**
 * Makes the one folder that lies as topmost lower layer under every container: the places that the runtime mounts
 * over, so that they never show up as the container's own changes. Idempotent; returns its path.
 */
export async function makeBaseLayer(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
  for (const folder of folders) await mkdir(join(path, folder), { recursive: true, mode: 0o755 });
  for (const file of files) {
    await writeFile(join(path, file), '', { flag: 'a', mode: 0o755 });
  }
  await symlink('/proc/mounts', join(path, 'etc/mtab')).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error;
  });
  return path;
}
