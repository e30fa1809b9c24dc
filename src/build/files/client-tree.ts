import type { CopyAction } from '../graph/vertex.ts';
import type { CopyDigests } from './copy-digests.ts';
import type { SourceEntry, SourceTree } from './source-tree.ts';

/** A client's files, looked at only when they have to be: a build that finds all its steps in the cache does not. */
export class ClientTree implements SourceTree {
  /** Of everything in it but times. */
  readonly digest: string;
  readonly #load: () => SourceTree;
  readonly #copies: CopyDigests;
  #loaded: SourceTree | undefined;

  constructor(digest: string, load: () => SourceTree, copies: CopyDigests) {
    this.digest = digest;
    this.#load = load;
    this.#copies = copies;
  }

  /** What is remembered of a copy from these files, or made now. */
  digestOfCopy(action: CopyAction, digest: (files: SourceTree) => string): string {
    return this.#copies.of(this.digest, action, () => digest(this.#files));
  }

  get #files(): SourceTree {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  get size(): number {
    return this.#files.size;
  }

  get(path: string): SourceEntry | undefined {
    return this.#files.get(path);
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  keys(): MapIterator<string> {
    return this.#files.keys();
  }

  values(): MapIterator<SourceEntry> {
    return this.#files.values();
  }

  entries(): MapIterator<[string, SourceEntry]> {
    return this.#files.entries();
  }

  forEach(each: (entry: SourceEntry, path: string, files: SourceTree) => void): void {
    for (const [path, entry] of this.#files) each(entry, path, this);
  }

  [Symbol.iterator](): MapIterator<[string, SourceEntry]> {
    return this.#files[Symbol.iterator]();
  }
}
