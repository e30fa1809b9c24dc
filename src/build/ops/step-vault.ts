import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, newId } from '#kernel';
import { mountTmpfs, unmountIfMounted } from '#linux';

/** What a client lends one command, in memory: secrets and sockets. Gone with the command, and never on a disk. */
export class StepVault {
  readonly #parent: string;
  readonly #opened: AsyncDisposableStack;
  #folder: Promise<string> | undefined;
  #next = 0;

  /** `parent` is a folder for mounts; `opened` ends with the command. */
  constructor(parent: string, opened: AsyncDisposableStack) {
    this.#parent = parent;
    this.#opened = opened;
  }

  /** A path in it that nobody has. */
  async place(): Promise<string> {
    this.#folder ??= this.#mount();
    return join(await this.#folder, String(this.#next++));
  }

  async #mount(): Promise<string> {
    const folder = join(this.#parent, newId());
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#opened.defer(async () => {
      unmountIfMounted(folder, { lazy: true });
      await rmdir(folder);
    });
    mountWithoutSwap(folder);
    return folder;
  }
}

/** Kernels before 6.4 cannot keep a tmpfs out of the swap. */
function mountWithoutSwap(folder: string): void {
  try {
    mountTmpfs(folder, { data: 'mode=0700,noswap' });
  } catch (error) {
    if (errnoOf(error) !== 'EINVAL') throw error;
    mountTmpfs(folder, { data: 'mode=0700' });
  }
}
