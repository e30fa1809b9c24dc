import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { readTar } from '#archive';
import type { TarEntry } from '#archive';

/** Paths of an image with what stands there, in a short form that says all that has to be equal. */
export type Tree = ReadonlyMap<string, string>;

interface Layer {
  readonly removed: readonly string[];
  /** Folders of which nothing from below is seen. */
  readonly opaque: readonly string[];
  readonly entries: readonly (readonly [string, string, string | undefined])[];
}

async function contentDigest({ content }: TarEntry): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex').slice(0, 16);
}

async function describe(entry: TarEntry): Promise<string> {
  const { type, mode, uid, gid, size, linkName, deviceMajor, deviceMinor, xattrs } = entry.header;
  const owner = `${uid}:${gid}`;
  const extra = Array.from(xattrs, ([name, value]) => ` ${name}=${Buffer.from(value).toString('hex')}`)
    .sort()
    .join('');
  const bits = mode.toString(8);
  if (type === 'symlink') return `link ${owner} ${linkName}${extra}`;
  if (type === 'file') return `file ${bits} ${owner} ${size} ${await contentDigest(entry)}${extra}`;
  const device = type === 'character' || type === 'block' ? ` ${deviceMajor}:${deviceMinor}` : '';
  return `${type} ${bits} ${owner}${device}${extra}`;
}

const clean = (name: string): string => posix.join('/', name).replace(/(?<=.)\/$/, '');

async function readLayer(path: string): Promise<Layer> {
  const removed: string[] = [];
  const opaque: string[] = [];
  const entries: [string, string, string | undefined][] = [];
  for await (const entry of readTar(createReadStream(path))) {
    const name = clean(entry.header.name);
    const base = posix.basename(name);
    if (base === '.wh..wh..opq') opaque.push(posix.dirname(name));
    else if (base.startsWith('.wh.')) removed.push(posix.join(posix.dirname(name), base.slice(4)));
    else if (entry.header.type === 'hardlink') entries.push([name, '', clean(entry.header.linkName)]);
    else entries.push([name, await describe(entry), undefined]);
  }
  return { removed, opaque, entries };
}

const known = new Map<string, Promise<Layer>>();

interface File {
  readonly text: string;
  /** The same for all names of one file. */
  readonly inode: symbol;
}

function removeBelow(tree: Map<string, File>, folder: string): void {
  for (const path of tree.keys()) if (path.startsWith(`${folder === '/' ? '' : folder}/`)) tree.delete(path);
}

function apply(tree: Map<string, File>, { removed, opaque, entries }: Layer): void {
  for (const folder of opaque) removeBelow(tree, folder);
  for (const path of removed) {
    tree.delete(path);
    removeBelow(tree, path);
  }
  for (const [path, text, linked] of entries) {
    const before = tree.get(path);
    if (before?.text.startsWith('folder') === true && !text.startsWith('folder')) removeBelow(tree, path);
    const target = linked === undefined ? undefined : tree.get(linked);
    tree.set(path, target ?? { text, inode: Symbol(path) });
  }
}

/** The layers' files laid over each other. Names of one file say so: `=` and the first of them. */
export async function imageTree(
  layers: readonly { readonly id: string; readonly path: string }[],
): Promise<Tree> {
  const tree = new Map<string, File>();
  for (const { id, path } of layers) {
    const layer = known.get(id) ?? readLayer(path);
    known.set(id, layer);
    apply(tree, await layer);
  }
  const sorted = [...tree].sort(([a], [b]) => (a < b ? -1 : 1));
  const first = new Map<symbol, string>();
  for (const [path, { inode }] of sorted) if (!first.has(inode)) first.set(inode, path);
  return new Map(
    sorted.map(([path, { text, inode }]) => {
      const name = first.get(inode);
      return [path, name === path ? text : `${text} =${name ?? ''}`];
    }),
  );
}

/** What is new or other in a tree than in its base's; what is gone is `gone`. */
export function treeChanges(base: Tree, tree: Tree): Record<string, string> {
  const changes: Record<string, string> = {};
  for (const [path, text] of tree) if (base.get(path) !== text) changes[path] = text;
  for (const path of base.keys()) if (!tree.has(path)) changes[path] = 'gone';
  return Object.fromEntries(Object.entries(changes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
