import { constants } from 'node:fs';
import { errnoOf } from '#kernel';
import { close, makeNodeAt, setXattr } from '#linux';
import { componentsOf } from './entry-path.ts';
import { Extractor, type Content, type ExtractorOptions } from './extractor.ts';
import { opaqueXattr } from './lower-view.ts';
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
  /** Paths this layer brought, with their parents; kept only where deletions must spare them. */
  readonly #brought = new Set<string>();

  constructor(options: ExtractorOptions & { readonly deletes: boolean }) {
    this.#extractor = new Extractor(options);
    this.#deletes = options.deletes;
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
    if (this.#deletes) {
      for (let length = components.length; length > 0; length -= 1) {
        this.#brought.add(components.slice(0, length).join('/'));
      }
    }
    this.#extractor.add(header, content);
  }

  finish(): void {
    this.#extractor.finish();
  }

  [Symbol.dispose](): void {
    this.#extractor[Symbol.dispose]();
  }

  #hide(parents: readonly string[], name: string): void {
    if (name === '' || name === '.' || name === '..') return;
    const { tree } = this.#extractor;
    if (this.#deletes) {
      this.#delete(parents, name);
      return;
    }
    const parent = tree.ensure(parents);
    try {
      makeNodeAt(parent.fd, name, constants.S_IFCHR, 0n);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      // This layer already brings something of that name: a folder then hides the one below instead of joining it.
      if (lstatIn(parent.fd, name)?.isDirectory()) this.#markOpaque([...parents, name]);
    }
  }

  #hideAll(folder: readonly string[]): void {
    if (!this.#deletes) {
      this.#markOpaque(folder);
      return;
    }
    let names: string[];
    try {
      names = namesIn(this.#extractor.tree.existing(folder).fd);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return;
      throw error;
    }
    for (const name of names) this.#delete(folder, name);
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

  #delete(parents: readonly string[], name: string): void {
    const path = [...parents, name];
    const { tree } = this.#extractor;
    if (this.#brought.has(path.join('/'))) {
      // Spare what the layer brings, delete the rest of the folder.
      const folder = tree.existing(parents);
      if (!lstatIn(folder.fd, name)?.isDirectory()) return;
      for (const child of namesIn(tree.existing(path).fd)) this.#delete(path, child);
      return;
    }
    try {
      removeTreeIn(tree.existing(parents).fd, name);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
    }
    tree.forget();
  }
}
