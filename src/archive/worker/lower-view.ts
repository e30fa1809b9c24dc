import { lstatSync, readdirSync, type BigIntStats } from 'node:fs';
import { errnoOf, pathFromBytes, pathToBytes } from '#kernel';
import { getXattr } from '#linux';
import { isWhiteout } from './places.ts';

export const opaqueXattr = 'trusted.overlay.opaque';

/** Whether an overlay folder hides everything below it. */
export const isOpaque = (path: string | number): boolean => getXattr(path, opaqueXattr)?.toString() === 'y';

const lstat = (path: string): BigIntStats | undefined => {
  try {
    return lstatSync(path.isWellFormed() ? path : pathToBytes(path), { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
};

/**
 * One folder as stacked layers show it: the folders of that path in the layers that have it, top first. The
 * layers are committed, so nobody changes them meanwhile.
 */
export class LowerView {
  readonly #folders: readonly string[];

  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  get isEmpty(): boolean {
    return this.#folders.length === 0;
  }

  /** What the stack shows under a name of this folder. */
  find(name: string): { readonly path: string; readonly stats: BigIntStats } | undefined {
    for (const folder of this.#folders) {
      const path = `${folder}/${name}`;
      const stats = lstat(path);
      if (stats) return isWhiteout(stats) ? undefined : { path, stats };
    }
    return undefined;
  }

  /** Every name that the stack shows in this folder, in no order. */
  names(): string[] {
    const seen = new Map<string, boolean>();
    for (const folder of this.#folders) {
      for (const bytes of readdirSync(folder.isWellFormed() ? folder : pathToBytes(folder), {
        encoding: 'buffer',
      })) {
        const name = pathFromBytes(bytes);
        if (seen.has(name)) continue;
        const stats = lstat(`${folder}/${name}`);
        seen.set(name, stats !== undefined && !isWhiteout(stats));
      }
    }
    return [...seen].filter(([, shown]) => shown).map(([name]) => name);
  }

  /** The stack's view of a subfolder; empty if it is missing or no folder. */
  enter(name: string): LowerView {
    const folders: string[] = [];
    for (const folder of this.#folders) {
      const path = `${folder}/${name}`;
      const stats = lstat(path);
      if (!stats) continue;
      if (!stats.isDirectory()) break;
      folders.push(path);
      if (isOpaque(path)) break;
    }
    return new LowerView(folders);
  }

  at(components: readonly string[]): LowerView {
    return components.reduce<LowerView>((view, name) => view.enter(name), this);
  }
}
