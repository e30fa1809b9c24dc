import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { conflict } from '#kernel';
import { makePrivate, tryLockFile } from '#linux';

/** The folder with everything the daemon keeps, held by this process alone. */
export interface DataRoot extends Disposable {
  readonly path: string;
  /** Short id that every name on the host carries: `default` for the default place, else made from the path. */
  readonly instance: string;
}

/** Makes and locks the data root. Throws conflict when another daemon holds it. */
export function openDataRoot(path: string): DataRoot {
  mkdirSync(path, { recursive: true, mode: 0o711 });
  if (['image/overlay2', 'overlay2', 'containerd'].some((name) => existsSync(join(path, name)))) {
    throw conflict(
      `the data root ${path} is Docker's own: choose another --data-root, and take over what is in it with: wharf system import-docker --data-root ${path}`,
    );
  }
  const fd = openSync(join(path, 'lock'), 'a', 0o600);
  if (!tryLockFile(fd)) {
    closeSync(fd);
    throw conflict(`another wharfd uses the data root ${path}: stop it, or choose another --data-root`);
  }
  makePrivate(path);
  return {
    path,
    instance: instanceOf(path),
    [Symbol.dispose]: () => {
      closeSync(fd);
    },
  };
}

export const instanceOf = (path: string): string =>
  path === '/var/lib/wharf' ? 'default' : createHash('sha256').update(path).digest('hex').slice(0, 8);
