import type { CopyAction } from '../graph/vertex.ts';

/** How many are remembered: each is a few hundred bytes. */
const limit = 2000;

/** What copies take of files that came before, by the digest of all files and by the copy: those used last. */
export class CopyDigests {
  readonly #known = new Map<string, string>();

  of(files: string, action: CopyAction, digest: () => string): string {
    const key = JSON.stringify([files, action]);
    const found = this.#known.get(key) ?? digest();
    this.#known.delete(key);
    this.#known.set(key, found);
    const [oldest] = this.#known.keys();
    if (this.#known.size > limit && oldest !== undefined) this.#known.delete(oldest);
    return found;
  }
}
