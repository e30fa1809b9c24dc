import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { conflict } from '#kernel';
import { tryLockFile } from '#linux';

/** Holds a registry's folder for this process alone. Throws conflict while another does. */
export function lockFolder(root: string): Disposable {
  const lock = openSync(join(root, 'lock'), 'a', 0o600);
  if (!tryLockFile(lock)) {
    closeSync(lock);
    throw conflict(`another wharf registry serves ${root}: end it first, or choose another --root`);
  }
  return { [Symbol.dispose]: () => closeSync(lock) };
}

/** Where the registry that serves a folder listens to whoever may open the folder. */
export const adminSocket = (root: string): string => join(root, 'admin.sock');
