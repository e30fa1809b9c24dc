import { decompress, readTar, type TarEntry, type TarType } from '#archive';
import { invalidArgument } from '#kernel';
import type { FileStore } from './file-store.ts';
import type { EntryType } from '#filesync';
import type { Tree, TreeEntry } from './tree.ts';

/** Bytes that are pushed on one side and taken on the other. */
export class ByteQueue implements AsyncIterable<Uint8Array> {
  readonly #taken: (bytes: number) => void;
  readonly #chunks: Uint8Array[] = [];
  #isEnded = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** `taken` is told of every chunk that was worked off. */
  constructor(taken: (bytes: number) => void) {
    this.#taken = taken;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const chunk = this.#chunks.shift();
      if (chunk) {
        yield chunk;
        this.#taken(chunk.length);
      } else if (this.#isEnded) return;
      else {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      }
    }
  }
}

const types: Readonly<Record<TarType, EntryType>> = {
  file: 'file',
  hardlink: 'hard-link',
  folder: 'directory',
  symlink: 'symlink',
  fifo: 'fifo',
  character: 'character',
  block: 'block',
};

/** The tree that a tar holds, its contents put into the store. Throws invalidArgument. */
export async function readTarTree(archive: AsyncIterable<Uint8Array>, store: FileStore): Promise<Tree> {
  const entries = new Map<string, TreeEntry>();
  const { stream } = await decompress(archive, { signal: new AbortController().signal });
  for await (const entry of readTar(stream)) {
    const path = pathOf(entry.header.name);
    if (path === '') continue;
    addParents(entries, path);
    // What replaces a folder replaces what is in it.
    if (entry.header.type !== 'folder') removeBelow(entries, path);
    const linkname = entry.header.type === 'hardlink' ? pathOf(entry.header.linkName) : entry.header.linkName;
    entries.set(path, await received(entry, path, linkname, entries, store));
  }
  return new Map([...entries].sort(([a], [b]) => compareByNames(a, b)));
}

function pathOf(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw invalidArgument(`the context has a file outside of it: ${JSON.stringify(name)}`);
  return parts.join('/');
}

async function received(
  { header, content }: TarEntry,
  path: string,
  linkname: string,
  entries: ReadonlyMap<string, TreeEntry>,
  store: FileStore,
): Promise<TreeEntry> {
  const { mode, uid, gid, mtime, deviceMajor, deviceMinor, xattrs } = header;
  const type = types[header.type];
  const shared = { path, type, mode, uid, gid, modTime: mtime, linkname, xattrs, stored: undefined };
  const devices = { devmajor: deviceMajor, devminor: deviceMinor };
  if (type === 'hard-link') {
    const file = entries.get(linkname);
    if (!file) throw invalidArgument(`${path} is a hard link to what is not in the context`);
    return { ...shared, ...devices, size: file.size, digest: file.digest };
  }
  if (type !== 'file') return { ...shared, ...devices, size: 0, digest: '' };
  const file = store.create();
  try {
    for await (const chunk of content) file.write(chunk);
    return { ...shared, ...devices, ...file.finish() };
  } catch (error) {
    file.discard();
    throw error;
  }
}

function addParents(entries: Map<string, TreeEntry>, path: string): void {
  const names = path.split('/');
  for (let length = 1; length < names.length; length += 1) {
    const parent = names.slice(0, length).join('/');
    const found = entries.get(parent);
    if (found?.type === 'directory') continue;
    if (found) throw invalidArgument(`the context has a file in ${parent}, which is no folder`);
    entries.set(parent, {
      ...{ path: parent, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, modTime: 0n },
      ...{ linkname: '', devmajor: 0, devminor: 0, xattrs: new Map(), digest: '', stored: undefined },
    });
  }
}

function removeBelow(entries: Map<string, TreeEntry>, path: string): void {
  if (entries.get(path)?.type !== 'directory') return;
  for (const other of [...entries.keys()]) if (other.startsWith(`${path}/`)) entries.delete(other);
}

/** Name by name, so that what is in a folder follows it. */
function compareByNames(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [n, name] of left.entries()) {
    const other = right[n];
    if (other === undefined) return 1;
    if (name !== other) return name < other ? -1 : 1;
  }
  return left.length - right.length;
}
