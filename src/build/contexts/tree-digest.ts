import { createHash } from 'node:crypto';
import type { Tree } from './tree.ts';

/** Of everything in a tree but times, in hexadecimal. */
export function digestOfTree(tree: Tree): string {
  const hash = createHash('sha256');
  let facts: string[] = [];
  for (const { path, type, mode, uid, gid, linkname, devmajor, devminor, xattrs, digest } of tree.values()) {
    const attributes = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
    facts.push(
      JSON.stringify([path, type, mode, uid, gid, linkname, devmajor, devminor, attributes, digest]),
    );
    if (facts.length < 1000) continue;
    hash.update(facts.join('\n'));
    facts = [''];
  }
  return hash.update(facts.join('\n')).digest('hex');
}
