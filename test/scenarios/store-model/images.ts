import { createHash } from 'node:crypto';
import { makeTar, smallImage, smallImageId, type SmallImage, type TarEntry } from '../../setup/index.ts';

/** Contents of the files of a root file system below `data/`, by path. */
export type Tree = ReadonlyMap<string, string>;

/** An image that can be loaded, and what it must look like. */
export interface Sample {
  readonly image: SmallImage;
  readonly id: string;
  readonly tree: Tree;
}

const big = (seed: string): string => {
  const parts: string[] = [];
  for (let n = 0; n < 4000; n += 1) parts.push(createHash('sha256').update(`${seed} ${n}`).digest('hex'));
  return parts.join('');
};

/** Few layers, so that images share them; with deletions of what lies below. */
const layers: readonly (readonly TarEntry[])[] = [
  [
    { name: 'data/', folder: true },
    { name: 'data/a', content: 'a of the base' },
    { name: 'data/b', content: big('base') },
  ],
  [
    { name: 'data/a', content: 'a replaced' },
    { name: 'data/c', content: 'c' },
  ],
  [{ name: 'data/.wh.b' }, { name: 'data/d', content: big('d') }],
  [{ name: 'data/.wh..wh..opq' }, { name: 'data/e', content: 'e alone' }],
  [{ name: 'data/.wh.nothing' }, { name: 'data/f', content: 'f' }],
];

/** What a layer makes of the tree below it. */
export function applied(below: Tree, layer: readonly TarEntry[]): Tree {
  const tree = new Map(layer.some(({ name }) => name.endsWith('.wh..wh..opq')) ? [] : below);
  for (const { name } of layer) tree.delete(name.replace('.wh.', ''));
  for (const { name, content, folder } of layer) {
    if (!folder && !name.includes('.wh.')) tree.set(name, String(content));
  }
  return tree;
}

const stacks = [[0], [0, 1], [0, 1, 2], [0, 2], [0, 1, 3], [0, 4, 1], [3], [0, 2, 4, 1, 3]];

export const samples: readonly Sample[] = stacks.map((numbers) => {
  const chosen = numbers.map((n) => layers[n] ?? []);
  const image = smallImage(chosen, { settings: { Cmd: ['/nothing'] } });
  return { image, id: smallImageId(image), tree: chosen.reduce<Tree>(applied, new Map()) };
});

/** A root file system for import: other contents for each number. */
export function rootTar(number: number): { readonly tar: Buffer; readonly tree: Tree } {
  const entries = [{ name: 'data/imported', content: `import ${number}` }];
  return { tar: makeTar(entries), tree: applied(new Map(), entries) };
}
