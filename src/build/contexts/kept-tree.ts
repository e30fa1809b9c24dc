import { readFileSync, renameSync, writeFileSync, mkdirSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { digestOfTree } from './tree-digest.ts';
import type { Tree } from './tree.ts';

/** A tree on its way between threads, or to the next build. */
export interface PackedTree {
  /** As v8 serializes it. */
  readonly bytes: Uint8Array;
  /** Of everything in it but times. */
  readonly digest: string;
}

const digestLength = 64;

export const packTree = (tree: Tree): PackedTree => ({ bytes: serialize(tree), digest: digestOfTree(tree) });

/** Where the last tree of a key is kept. */
export const treeFileOf = (root: string, key: string): string =>
  join(root, 'trees', createHash('sha256').update(key).digest('hex'));

export function keepTree(path: string, { bytes, digest }: PackedTree): void {
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.${randomBytes(8).toString('hex')}`;
  writeFileSync(next, Buffer.concat([Buffer.from(digest), bytes]));
  renameSync(next, path);
}

/** A kept tree. One that is missing or unreadable is an empty one: everything is sent again. */
export function readKept(path: string): PackedTree & { readonly tree: Tree } {
  try {
    const file = readFileSync(path);
    const bytes = file.subarray(digestLength);
    // Written by keepTree().
    const tree = deserialize(bytes) as Tree;
    return { tree, bytes, digest: file.toString('latin1', 0, digestLength) };
  } catch {
    return { tree: new Map(), ...packTree(new Map()) };
  }
}
