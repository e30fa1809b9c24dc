import { chmodSync, chownSync, mkdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, invalidArgument } from '#kernel';
import { bindMount, mountOverlay } from '#linux';
import { FolderSnapshotter, type Layering, type SnapshotterOptions } from '../folder-snapshotter.ts';
import type { SnapshotMounts } from '../snapshotter.ts';

const filesOf = (folder: string): string => join(folder, 'fs');
const workOf = (folder: string): string => join(folder, 'work');

/** The merged root has the attributes of the top layer's, so a new layer takes over those of its parent. */
function copyRootAttributes(from: string, to: string): void {
  const { mode, uid, gid } = statSync(from);
  if (uid !== 0 || gid !== 0) chownSync(to, uid, gid);
  chmodSync(to, mode & 0o7777);
}

function mountLayers(mounts: SnapshotMounts, target: string, readonly: boolean): void {
  const { lower, upper, work } = mounts;
  if (lower.length === 0 && upper !== undefined) {
    bindMount(upper, target, { readonly });
    return;
  }
  try {
    if (upper === undefined || work === undefined) mountOverlay({ lower, target, readonly: true });
    else mountOverlay({ lower, upper, work, target, readonly, volatile: !readonly });
  } catch (error) {
    if (error instanceof RangeError) throw invalidArgument(error.message, error);
    throw error;
  }
}

const overlayLayering: Layering = {
  create(folder, parent) {
    const files = filesOf(folder);
    mkdirSync(files, { mode: 0o755 });
    if (parent === undefined) {
      chmodSync(files, 0o755);
      return;
    }
    copyRootAttributes(filesOf(parent), files);
    mkdirSync(workOf(folder), { mode: 0o711 });
  },
  mounts([own = '', ...parents], kind) {
    const lower = parents.map(filesOf);
    if (kind === 'committed') return { lower: [filesOf(own), ...lower] };
    if (lower.length === 0) return { lower, upper: filesOf(own) };
    return { lower, upper: filesOf(own), work: workOf(own) };
  },
  mount(mounts, target, { readonly }) {
    mountLayers(mounts, target, readonly);
  },
  freeze(folder) {
    try {
      rmdirSync(workOf(folder));
    } catch (error) {
      // Once mounted, it holds a folder or two of the kernel's.
      if (errnoOf(error) === 'ENOTEMPTY') rmSync(workOf(folder), { recursive: true, force: true });
      else if (errnoOf(error) !== 'ENOENT') throw error;
    }
  },
  files: filesOf,
};

/** Snapshots as layers of an overlay file system: `<root>/<id>/fs` holds what differs, `work` is the kernel's. */
export const createOverlaySnapshotter = (options: SnapshotterOptions): FolderSnapshotter =>
  new FolderSnapshotter(options, overlayLayering);
