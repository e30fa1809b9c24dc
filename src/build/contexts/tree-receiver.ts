import { invalidArgument } from '#kernel';
import { type FileStat, type Packet, entryTypeOf, permissionsOf } from '#filesync';
import type { FileStore, IncomingFile } from './file-store.ts';
import type { Tree, TreeEntry } from './tree.ts';

/** One for all: it is stored and handed over once. */
const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

/** A path with a part that is empty, `.` or `..`, or with a zero byte. */
const misplaced = /(?:^|\/)\.{0,2}(?:\/|$)|\0/;

export interface TreeReceiverOptions {
  readonly store: FileStore;
  /** What came the last time: files that look the same are not sent again. */
  readonly previous: Tree;
  send(packet: Packet): void;
}

/**
 * The receiving side of a transfer of files (fsutil): stats come in walk order and end with an empty one; contents are
 * asked for by the number of their stat, and come in any order, each ended by an empty piece.
 */
export class TreeReceiver {
  readonly #options: TreeReceiverOptions;
  readonly #entries: TreeEntry[] = [];
  readonly #byPath = new Map<string, number>();
  readonly #incoming = new Map<number, IncomingFile | undefined>();
  #listed = false;
  #ended = false;
  /** How many entries are as they were before. */
  #same = 0;
  /** Bytes of contents so far. */
  received = 0;

  constructor(options: TreeReceiverOptions) {
    this.#options = options;
  }

  /** Takes one packet. True: the transfer is complete. Throws invalidArgument for what breaks the rules. */
  take(packet: Packet): boolean {
    switch (packet.type) {
      case 'stat':
        if (packet.stat) this.#entry(packet.stat);
        else this.#listed = true;
        break;
      case 'data':
        this.#data(packet.id, packet.data);
        break;
      case 'error':
        throw invalidArgument(packet.message);
      case 'end':
        if (!this.#ended) throw invalidArgument('the client ended the transfer of files too early');
        return true;
      case 'request':
        throw invalidArgument('the client asked for a file in a transfer to the engine');
    }
    if (this.#listed && !this.#ended && this.#incoming.size === 0) {
      this.#ended = true;
      this.#options.send({ type: 'end' });
    }
    return false;
  }

  /** Whether everything is as it was before, times and all. */
  get isUnchanged(): boolean {
    return this.#same === this.#entries.length && this.#same === this.#options.previous.size;
  }

  /** The received tree. */
  tree(): Tree {
    return new Map(this.#entries.map((entry) => [entry.path, this.#linked(entry)]));
  }

  /** Lets go of what is half received. */
  discard(): void {
    for (const file of this.#incoming.values()) file?.discard();
    this.#incoming.clear();
  }

  #entry(stat: FileStat): void {
    const path = this.#checkedPath(stat.path);
    const id = this.#entries.length;
    const type = entryTypeOf(stat.mode, stat.linkname);
    const size = type === 'file' ? stat.size : 0;
    const before = this.#kept(path);
    this.#byPath.set(path, id);
    if (before && isSame(before, stat, type)) {
      this.#same += 1;
      this.#entries.push(before);
      return;
    }
    const xattrs = stat.xattrs.size > 0 ? stat.xattrs : noXattrs;
    const mode = permissionsOf(stat.mode);
    const known = type === 'file' && before && looksSame(before, stat, type) ? before : undefined;
    const { digest = '', stored } = known ?? {};
    this.#entries.push({ ...stat, xattrs, path, type, mode, size, digest, stored });
    if (type !== 'file' || known) return;
    this.#incoming.set(id, undefined);
    this.#options.send({ type: 'request', id });
  }

  #checkedPath(path: string): string {
    if (misplaced.test(path)) {
      throw invalidArgument(`the client sent a file with the path ${JSON.stringify(path)}`);
    }
    if (this.#byPath.has(path)) throw invalidArgument(`the client sent the file ${path} twice`);
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    if (parent !== '' && this.#entries[this.#byPath.get(parent) ?? -1]?.type !== 'directory') {
      throw invalidArgument(`the client sent the file ${path} without its folder`);
    }
    return path;
  }

  /** What came before under this path, unless it was a file whose contents are gone. */
  #kept(path: string): TreeEntry | undefined {
    const before = this.#options.previous.get(path);
    return before?.stored && !this.#options.store.has(before.stored) ? undefined : before;
  }

  #data(id: number, data: Uint8Array): void {
    const entry = this.#entries[id];
    if (!entry || !this.#incoming.has(id))
      throw invalidArgument(`the client sent a file that nobody asked for (${id})`);
    let file = this.#incoming.get(id);
    if (!file) {
      file = this.#options.store.create();
      this.#incoming.set(id, file);
    }
    if (data.length > 0) {
      this.received += data.length;
      file.write(data);
      return;
    }
    this.#incoming.delete(id);
    // A file that changes while it is read is what it was read as.
    this.#entries[id] = { ...entry, ...file.finish() };
  }

  #linked(entry: TreeEntry): TreeEntry {
    if (entry.type !== 'hard-link') return entry;
    const file = this.#entries[this.#byPath.get(entry.linkname) ?? -1];
    if (file?.type !== 'file')
      throw invalidArgument(`${entry.path} is a hard link to what is not in the context`);
    return { ...entry, size: file.size, digest: file.digest };
  }
}

/** Whether the contents can be taken for the same. Of a hard link the file is compared by itself. */
const looksSame = (before: TreeEntry, stat: FileStat, type: TreeEntry['type']): boolean =>
  before.type === type &&
  before.modTime === stat.modTime &&
  before.mode === permissionsOf(stat.mode) &&
  (type !== 'file' || before.size === stat.size);

/** Whether nothing at all has changed. */
function isSame(before: TreeEntry, stat: FileStat, type: TreeEntry['type']): boolean {
  return (
    looksSame(before, stat, type) &&
    before.uid === stat.uid &&
    before.gid === stat.gid &&
    before.linkname === stat.linkname &&
    before.devmajor === stat.devmajor &&
    before.devminor === stat.devminor &&
    before.xattrs.size === 0 &&
    stat.xattrs.size === 0
  );
}
