import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Archiver } from '#archive';
import { errnoOf, messageOf, type Logger } from '#kernel';

/**
 * Where folders go that nobody needs: a rename takes them away at once, a worker deletes the files afterwards,
 * one folder at a time. What is left at the end of the process is deleted after the next start.
 */
export class Trash implements AsyncDisposable {
  readonly #path: string;
  readonly #archiver: Pick<Archiver, 'removeTree'>;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #emptying: Promise<void> = Promise.resolve();

  constructor(path: string, archiver: Pick<Archiver, 'removeTree'>, logger: Logger) {
    this.#path = path;
    this.#archiver = archiver;
    this.#logger = logger;
  }

  start(): void {
    mkdirSync(this.#path, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#path)) this.#removeLater(name);
  }

  /** Takes a folder on the same file system away; a missing one is no error. `name` must never have been used. */
  take(folder: string, name: string): void {
    try {
      renameSync(folder, join(this.#path, name));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' && !existsSync(folder)) return;
      throw error;
    }
    this.#removeLater(name);
  }

  /** Names of what waits for deletion. */
  names(): string[] {
    return readdirSync(this.#path);
  }

  /** Resolves when everything that was taken so far is gone. */
  async emptied(): Promise<void> {
    await this.#emptying;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#emptying;
  }

  #removeLater(name: string): void {
    this.#emptying = this.#emptying.then(async () => {
      const { signal } = this.#stopping;
      try {
        signal.throwIfAborted();
        await this.#archiver.removeTree(join(this.#path, name), { signal });
      } catch (error) {
        if (error === signal.reason) return;
        this.#logger.warn({ folder: name, error: messageOf(error) }, 'cannot delete a discarded snapshot');
      }
    });
  }
}
