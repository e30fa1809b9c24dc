import { constants } from 'node:fs';
import { errnoOf } from '#kernel';
import { close, makeNodeAt, setXattr } from '#linux';
import { copyUp } from './copy-up.ts';
import { componentsOf } from './entry-path.ts';
import { Extractor, type Content, type ExtractorOptions } from './extractor.ts';
import { opaqueXattr, type LowerView } from './lower-view.ts';
import { lstatIn, namesIn, openFolderIn, removeTreeIn } from './places.ts';
import type { StoredHeader } from '../tar/header.ts';

/** Prefix of a name that says the rest is deleted (image-spec layer.md); twice, it is AUFS's own business. */
export const whiteoutPrefix = '.wh.';
const metaPrefix = '.wh..wh.';
export const opaqueName = '.wh..wh..opq';

/**
 * Unpacks a layer: OCI whiteouts become overlay(5)'s marks, or with `deletes` deletions of what was there before
 * this layer. Whiteouts never touch what the same layer brings, whatever the order.
 */
export class LayerExtractor implements Disposable {
  readonly #extractor: Extractor;
  readonly #deletes: boolean;
  readonly #lower: LowerView;
  /**
   * Paths this layer brought, with their parents, by where they really are. What else is in the folder was there
   * before, or had to be made for a mark or a hard link. Not kept for a base layer, which deletes nothing.
   */
  readonly #brought = new Set<string>();

  constructor(options: ExtractorOptions & { readonly deletes: boolean }) {
    this.#extractor = new Extractor(options);
    this.#deletes = options.deletes;
    this.#lower = options.lower;
  }

  add(header: StoredHeader, content: Content): void {
    const components = componentsOf(header.name);
    const meta = components.findIndex((name) => name.startsWith(metaPrefix));
    const name = components.at(-1) ?? '';
    if (meta >= 0) {
      if (name === opaqueName && meta === components.length - 1) this.#hideAll(components.slice(0, -1));
      return;
    }
    if (name.startsWith(whiteoutPrefix)) {
      this.#hide(components.slice(0, -1), name.slice(whiteoutPrefix.length));
      return;
    }
    if (header.type === 'hardlink' && !this.#deletes) {
      copyUp(this.#extractor, this.#lower, componentsOf(header.linkName, header.name));
    }
    this.#extractor.add(header, content);
    this.#remember(components);
  }

  finish(): void {
    this.#extractor.finish();
  }

  [Symbol.dispose](): void {
    this.#extractor[Symbol.dispose]();
  }

  get #isBase(): boolean {
    return !this.#deletes && this.#lower.isEmpty;
  }

  #remember(components: readonly string[]): void {
    if (this.#isBase) return;
    const { tree } = this.#extractor;
    const path = [...tree.placeOf(tree.existing(components.slice(0, -1))), ...components.slice(-1)];
    for (let length = path.length; length > 0; length -= 1) {
      const key = path.slice(0, length).join('/');
      if (this.#brought.has(key)) return;
      this.#brought.add(key);
    }
  }

  /** Where a folder of the layer really is, without links on the way; undefined if it is not there. */
  #existingPlace(folder: readonly string[]): string[] | undefined {
    const { tree } = this.#extractor;
    try {
      return tree.placeOf(tree.existing(folder));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  #hide(parents: readonly string[], name: string): void {
    if (name === '' || name === '.' || name === '..' || this.#isBase) return;
    const place = this.#existingPlace(parents);
    const isBrought = this.#brought.has([...(place ?? parents), name].join('/'));
    if (place) this.#remove(place, name);
    const { tree } = this.#extractor;
    // Nothing to hide; and in a folder that is no stack of several the kernel would list the mark itself.
    if (this.#deletes || !tree.below(place ?? parents).find(name)) return;
    const parent = tree.ensure(parents);
    if (!isBrought) makeNodeAt(parent.fd, name, constants.S_IFCHR, 0n);
    // A folder that the layer brings hides the one below instead of joining it.
    else if (lstatIn(parent.fd, name)?.isDirectory()) this.#markOpaque([...parents, name]);
  }

  #hideAll(folder: readonly string[]): void {
    if (this.#isBase) return;
    const place = this.#existingPlace(folder);
    if (place) for (const name of namesIn(this.#extractor.tree.existing(place).fd)) this.#remove(place, name);
    const { tree } = this.#extractor;
    if (!this.#deletes && !tree.below(place ?? folder).isEmpty) this.#markOpaque(folder);
  }

  #markOpaque(folder: readonly string[]): void {
    // Attributes need a real descriptor, not one of O_PATH.
    const fd = openFolderIn(this.#extractor.tree.ensure(folder).fd, '.');
    try {
      setXattr(fd, opaqueXattr, Buffer.from('y'));
    } finally {
      close(fd);
    }
  }

  /** Removes what is there, sparing what the layer brought. `parents` is a real place. */
  #remove(parents: readonly string[], name: string): void {
    const path = [...parents, name];
    const { tree } = this.#extractor;
    const folder = tree.existing(parents);
    if (!this.#brought.has(path.join('/'))) {
      removeTreeIn(folder.fd, name);
      tree.forget();
    } else if (lstatIn(folder.fd, name)?.isDirectory()) {
      for (const child of namesIn(tree.existing(path).fd)) this.#remove(path, child);
    }
  }
}
