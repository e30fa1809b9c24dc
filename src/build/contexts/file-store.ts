import { createHash, hash, type Hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Up to here a file is held in memory until it is whole, and its digest known. Bytes. */
const heldBytes = 1024 * 1024;

/** A file on its way into the store. */
export interface IncomingFile {
  write(chunk: Uint8Array): void;
  /** Makes it visible; answers its digest and size. */
  finish(): { readonly digest: string; readonly size: number };
  /** Leaves nothing. */
  discard(): void;
}

/**
 * Contents of files by their SHA-256, each once, however many contexts have it. Synchronous: for worker threads. A
 * file appears whole by a rename; nothing is synced, so the store is worth nothing after a loss of power.
 */
export class FileStore {
  readonly #root: string;
  readonly #folders = new Set<string>();
  readonly #present = new Set<string>();
  #next = 0;
  readonly #prefix: string;

  /** `prefix` tells temporary files of several writers apart. */
  constructor(root: string, prefix: string) {
    this.#root = root;
    this.#prefix = prefix;
    mkdirSync(join(root, 'incoming'), { recursive: true });
  }

  path(digest: string): string {
    return join(this.#root, digest.slice(0, 2), digest.slice(2));
  }

  /** Whether a file is there. Each folder is looked into once: what others add meanwhile is taken for missing. */
  has(digest: string): boolean {
    this.#lookInto(digest.slice(0, 2));
    return this.#present.has(digest);
  }

  create(): IncomingFile {
    let held: Uint8Array[] = [];
    let size = 0;
    let spilled: { readonly fd: number; readonly path: string; readonly hash: Hash } | undefined;
    return {
      write: (chunk) => {
        size += chunk.length;
        if (!spilled && size <= heldBytes) {
          held.push(chunk.slice());
          return;
        }
        spilled ??= this.#spill(held);
        held = [];
        spilled.hash.update(chunk);
        writeAll(spilled.fd, chunk);
      },
      finish: () => {
        if (!spilled) return { digest: this.#put(Buffer.concat(held)), size };
        closeSync(spilled.fd);
        const digest = spilled.hash.digest('hex');
        this.#place(spilled.path, digest);
        return { digest, size };
      },
      discard: () => {
        if (!spilled) return;
        closeSync(spilled.fd);
        rmSync(spilled.path, { force: true });
      },
    };
  }

  #spill(held: readonly Uint8Array[]): { fd: number; path: string; hash: Hash } {
    const path = this.#temporary();
    const spilled = { fd: openSync(path, 'wx', 0o600), path, hash: createHash('sha256') };
    for (const chunk of held) {
      spilled.hash.update(chunk);
      writeAll(spilled.fd, chunk);
    }
    return spilled;
  }

  #put(data: Uint8Array): string {
    const digest = hash('sha256', data);
    if (this.has(digest)) return digest;
    const path = this.#temporary();
    const fd = openSync(path, 'wx', 0o600);
    try {
      writeAll(fd, data);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    this.#place(path, digest);
    return digest;
  }

  #place(from: string, digest: string): void {
    this.#lookInto(digest.slice(0, 2));
    renameSync(from, this.path(digest));
    this.#present.add(digest);
  }

  /** A folder that is missing is made. */
  #lookInto(name: string): void {
    if (this.#folders.has(name)) return;
    this.#folders.add(name);
    const folder = join(this.#root, name);
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
    else for (const rest of readdirSync(folder)) this.#present.add(name + rest);
  }

  #temporary(): string {
    return join(this.#root, 'incoming', `${this.#prefix}-${this.#next++}`);
  }
}

function writeAll(fd: number, data: Uint8Array): void {
  for (let at = 0; at < data.length;) at += writeSync(fd, data, at);
}
