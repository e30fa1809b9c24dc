import { constants } from 'node:fs';
import { atCwd, close, openAt, openUnder } from '#linux';
import type { FileRange, PlacedEntry } from '../archiver.ts';
import type { Content } from './extractor.ts';
import { FileContent, noContent } from './file-content.ts';
import { openRoot } from './pack-tree.ts';

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens what entries are made of: each is good until the next one is asked for. */
export class PlacedContents implements Disposable {
  readonly #buffer = Buffer.allocUnsafeSlow(1 << 20);
  readonly #roots = new Map<string, number>();
  /** Many entries follow each other in one file. */
  #shared: { readonly file: string; readonly fd: number } | undefined;
  #own: number | undefined;

  of({ from }: PlacedEntry): Content {
    this.#closeOwn();
    if (from === undefined) return noContent;
    if ('bytes' in from) return heldContent(from.bytes);
    if ('file' in from) return this.#range(from);
    this.#own = openUnder(this.#root(from.root), from.path, { flags, resolve: 'root' });
    return new FileContent(this.#own, this.#buffer);
  }

  [Symbol.dispose](): void {
    this.#closeOwn();
    if (this.#shared) close(this.#shared.fd);
    for (const fd of this.#roots.values()) close(fd);
  }

  #range({ file, offset, size }: FileRange): Content {
    if (this.#shared?.file !== file) {
      if (this.#shared) close(this.#shared.fd);
      this.#shared = undefined;
      this.#shared = { file, fd: openAt(atCwd, file, flags) };
    }
    return new FileContent(this.#shared.fd, this.#buffer, offset, offset + size);
  }

  #root(folder: string): number {
    const fd = this.#roots.get(folder) ?? openRoot(folder);
    this.#roots.set(folder, fd);
    return fd;
  }

  #closeOwn(): void {
    if (this.#own !== undefined) close(this.#own);
    this.#own = undefined;
  }
}

/** Contents that came with the entry. */
function heldContent(bytes: Uint8Array): Content {
  let rest = Buffer.from(bytes);
  return {
    next: (limit) => {
      const part = rest.subarray(0, limit);
      rest = rest.subarray(part.length);
      return part;
    },
  };
}
