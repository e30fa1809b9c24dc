import { closeSync, openSync, readSync } from 'node:fs';
import { lstat, opendir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredFile } from './content-index.ts';
import type { FileStore } from './file-store.ts';
import type { SingleFile } from './transfer-messages.ts';
import type { Tree, TreeEntry } from './tree.ts';

const nothing = {
  uid: 0,
  gid: 0,
  size: 0,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  digest: '',
  stored: undefined,
};
const chunkSize = 256 * 1024;

/** The tree of one file, its contents put into the store. */
export async function readFileTree(
  contents: AsyncIterable<Uint8Array>,
  { name, mode, modTime }: SingleFile,
  store: FileStore,
): Promise<Tree> {
  const file = store.create();
  try {
    for await (const chunk of contents) file.write(chunk);
  } catch (error) {
    file.discard();
    throw error;
  }
  const entry = { ...nothing, path: name, type: 'file' as const, mode, modTime, xattrs: new Map() };
  return new Map([[name, { ...entry, ...file.finish() }]]);
}

/**
 * What is in a folder of this machine: files, folders and links, which are not followed; anything else is left out.
 * Owners are not told: everything belongs to root.
 */
export async function readFolderTree(root: string, store: FileStore): Promise<Tree> {
  const entries = new Map<string, TreeEntry>();
  await readInto(entries, root, '', store);
  return entries;
}

async function readInto(
  entries: Map<string, TreeEntry>,
  root: string,
  folder: string,
  store: FileStore,
): Promise<void> {
  const names: string[] = [];
  for await (const { name } of await opendir(join(root, folder))) names.push(name);
  for (const name of names.sort()) {
    const path = folder === '' ? name : `${folder}/${name}`;
    const place = join(root, path);
    const found = await lstat(place, { bigint: true });
    const shared = { ...nothing, path, modTime: found.mtimeNs, xattrs: new Map<string, Uint8Array>() };
    const mode = Number(found.mode) & 0o7777;
    if (found.isDirectory()) {
      entries.set(path, { ...shared, type: 'directory', mode });
      await readInto(entries, root, path, store);
    } else if (found.isSymbolicLink()) {
      entries.set(path, { ...shared, type: 'symlink', mode: 0o777, linkname: await readlink(place) });
    } else if (found.isFile()) {
      entries.set(path, { ...shared, type: 'file', mode, ...storeFile(place, store) });
    }
  }
}

function storeFile(path: string, store: FileStore): StoredFile {
  const file = store.create();
  const fd = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(chunkSize);
    for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer)) {
      file.write(buffer.subarray(0, read));
    }
  } catch (error) {
    file.discard();
    throw error;
  } finally {
    closeSync(fd);
  }
  return file.finish();
}
