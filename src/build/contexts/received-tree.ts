import { deserialize } from 'node:v8';
import type { Tree } from './tree.ts';

/** A tree as the thread hands it over. It is taken apart when it is looked at: for large ones that takes a while. */
export class ReceivedTree {
  /** Of everything in it but times. */
  readonly digest: string;
  readonly #bytes: Uint8Array;
  #tree: Tree | undefined;

  /** `bytes`: as v8 serializes it. */
  constructor(bytes: Uint8Array, digest: string) {
    this.#bytes = bytes;
    this.digest = digest;
  }

  open(): Tree {
    this.#tree ??= deserialize(this.#bytes) as Tree; // the thread's own
    return this.#tree;
  }
}
