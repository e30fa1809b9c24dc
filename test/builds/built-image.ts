import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxLayer, debianImage, fileDigest } from '../setup/index.ts';
import type { BuiltImage } from './build-golden.ts';
import { imageTree, treeChanges } from './image-tree.ts';

interface ImageConfig {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly author?: string;
  readonly config?: Record<string, unknown>;
  readonly history?: readonly Record<string, unknown>[];
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

let bases: Promise<ReadonlySet<string>> | undefined;

/** The layers of the images that cases are built on. */
const baseLayers = (): Promise<ReadonlySet<string>> =>
  (bases ??= (async () => {
    const debian = (await debianImage()).layers.map(({ diffId }) => diffId);
    return new Set([await fileDigest(await busyboxLayer()), ...debian]);
  })());

const withoutTime = (entry: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => key !== 'created'));

/** Reads an image from the unpacked archive that `docker save` wrote. */
export async function readBuiltImage(folder: string): Promise<BuiltImage> {
  const [manifest] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as [
    { Config: string; Layers: string[] },
  ];
  const image = JSON.parse(await readFile(join(folder, manifest.Config), 'utf8')) as ImageConfig;
  const ids = image.rootfs.diff_ids;
  const layers = manifest.Layers.map((name, index) => ({ id: ids[index] ?? name, path: join(folder, name) }));
  const known = await baseLayers();
  const base = layers.filter(({ id }) => known.has(id));
  const { os, architecture, variant, author } = image;
  return {
    platform: [os, architecture, variant].filter(Boolean).join('/'),
    ...(author !== undefined && { author }),
    config: image.config ?? {},
    history: (image.history ?? []).map(withoutTime),
    layers: ids.length,
    tree: treeChanges(await imageTree(base), await imageTree(layers)),
  };
}
