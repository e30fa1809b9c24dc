import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Archiver } from '#archive';
import { bindMount } from '#linux';
import { FolderSnapshotter, type Layering, type SnapshotterOptions } from '../folder-snapshotter.ts';

const filesOf = (folder: string): string => join(folder, 'fs');

const copyLayering = (archiver: Archiver): Layering => ({
  async create(folder, parent) {
    const target = filesOf(folder);
    mkdirSync(target, { mode: 0o755 });
    if (parent === undefined) return;
    await archiver.copyTree({ root: filesOf(parent), target, signal: new AbortController().signal });
  },
  mounts([own = '', parent], kind) {
    if (kind === 'committed') return { lower: [filesOf(own)] };
    return { lower: [], upper: filesOf(own), ...(parent === undefined ? {} : { base: filesOf(parent) }) };
  },
  mount({ lower, upper }, target, { readonly }) {
    bindMount(upper ?? lower[0] ?? '', target, { readonly });
  },
  freeze: () => undefined,
  files: filesOf,
});

/**
 * Snapshots as full copies of their parents, for data roots that cannot hold an overlay's upper folder (NFS, an
 * overlay itself). Slow and large, but the same to everyone else.
 */
export const createCopySnapshotter = (options: SnapshotterOptions): FolderSnapshotter =>
  new FolderSnapshotter(options, copyLayering(options.archiver));
