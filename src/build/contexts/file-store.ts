import { createHash, hash, randomBytes, type Hash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ContentIndex, type StoredFile } from './content-index.ts';
import type { StoredContents } from './tree.ts';

/** Up to here a file is held in memory until it is whole, and stands in one file of the store with others. Bytes. */
const heldBytes = 1024 * 1024;

/** Bytes that are gathered for one write, at least. */
const leastWrite = 1024 * 1024;

/** Where the files of a store are. */
export const filesOf = (root: string): string => join(root, 'files');

/** Where it is written which contents a store has. */
export const indexOf = (root: string): string => join(root, 'contents.db');

/** A file on its way into the store. */
export interface IncomingFile {
  write(chunk: Uint8Array): void;
  finish(): StoredFile;
  /** Leaves nothing. */
  discard(): void;
}

/**
 * What one transfer adds to the contents of files, each once by its SHA-256, however many contexts have it. Small ones
 * stand one after the other in one file: making a file costs more than what is in most. Others see what was added when
 * it is committed. Synchronous: for worker threads.
 */
export class FileStore {
  readonly #root: string;
  readonly #added = new Map<string, StoredFile>();
  /** Files that this transfer has made. */
  readonly #made = new Set<string>();
  readonly #present = new Map<string, boolean>();
  #index: ContentIndex | undefined;
  #find: ((digest: string) => StoredFile | undefined) | undefined;
  #pack: Pack | undefined;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(filesOf(root), { recursive: true });
  }

  /** Whether contents that were there once still are. */
  has({ file }: StoredContents): boolean {
    let isPresent = this.#present.get(file);
    if (isPresent === undefined) this.#present.set(file, (isPresent = existsSync(this.#path(file))));
    return isPresent;
  }

  create(): IncomingFile {
    let held: Uint8Array[] = [];
    let size = 0;
    let large: LargeFile | undefined;
    return {
      write: (chunk) => {
        size += chunk.length;
        if (!large && size <= heldBytes) {
          held.push(chunk.slice());
          return;
        }
        if (!large) {
          large = new LargeFile(this.#path, this.#name());
          for (const before of held) large.write(before);
          held = [];
        }
        large.write(chunk);
      },
      finish: () => (large ? this.#keep(large, size) : this.#put(Buffer.concat(held))),
      discard: () => large && this.#drop(large),
    };
  }

  /** Makes known what was added. Nothing can be added afterwards. */
  commit(): void {
    this.#pack?.finish();
    if (this.#made.size > 0) this.#open().add(this.#made, this.#added.values());
    this.#close();
  }

  /** Leaves nothing of what was not committed. */
  discard(): void {
    this.#pack?.close();
    for (const name of this.#made) rmSync(this.#path(name), { force: true });
    this.#close();
  }

  #put(data: Buffer): StoredFile {
    const digest = hash('sha256', data);
    const known = this.#known(digest);
    if (known) return known;
    this.#pack ??= new Pack(this.#path, this.#name());
    const stored = { file: this.#pack.name, offset: this.#pack.append(data) };
    return this.#add({ digest, size: data.length, stored });
  }

  #keep(large: LargeFile, size: number): StoredFile {
    const digest = large.finish();
    const known = this.#known(digest);
    if (!known) return this.#add({ digest, size, stored: { file: large.name, offset: 0 } });
    this.#drop(large);
    return known;
  }

  #add(file: StoredFile): StoredFile {
    this.#added.set(file.digest, file);
    return file;
  }

  #known(digest: string): StoredFile | undefined {
    this.#find ??= this.#open().finder();
    const known = this.#added.get(digest) ?? this.#find(digest);
    return known && this.has(known.stored) ? known : undefined;
  }

  #drop(large: LargeFile): void {
    large.close();
    rmSync(this.#path(large.name), { force: true });
    this.#made.delete(large.name);
  }

  #open(): ContentIndex {
    return (this.#index ??= new ContentIndex(indexOf(this.#root)));
  }

  #close(): void {
    this.#made.clear();
    this.#index?.[Symbol.dispose]();
    this.#index = undefined;
    this.#find = undefined;
  }

  readonly #path = (name: string): string => join(filesOf(this.#root), name);

  /** Of a file to be made. */
  #name(): string {
    const name = randomBytes(16).toString('hex');
    this.#made.add(name);
    this.#present.set(name, true);
    return name;
  }
}

/** A file of the store that is being written. */
class NewFile {
  readonly name: string;
  readonly #fd: number;
  #isOpen = true;

  constructor(path: (name: string) => string, name: string) {
    this.name = name;
    this.#fd = openSync(path(name), 'wx', 0o600);
  }

  protected writeAll(data: Uint8Array): void {
    for (let at = 0; at < data.length;) at += writeSync(this.#fd, data, at);
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }
}

/** Contents one after the other. */
class Pack extends NewFile {
  #pending: Buffer[] = [];
  #gathered = 0;
  #size = 0;

  /** Answers where the contents begin. */
  append(data: Buffer): number {
    const offset = this.#size;
    this.#size += data.length;
    this.#gathered += data.length;
    this.#pending.push(data);
    if (this.#gathered >= leastWrite) this.#flush();
    return offset;
  }

  finish(): void {
    this.#flush();
    this.close();
  }

  #flush(): void {
    this.writeAll(Buffer.concat(this.#pending));
    this.#pending = [];
    this.#gathered = 0;
  }
}

class LargeFile extends NewFile {
  readonly #hash: Hash = createHash('sha256');

  write(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.writeAll(chunk);
  }

  /** Answers the digest. */
  finish(): string {
    this.close();
    return this.#hash.digest('hex');
  }
}
