import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#kernel';
import { mountOverlay, setXattr, unmount } from '#linux';
import { createCopySnapshotter } from './copy/copy-snapshotter.ts';
import type { SnapshotterOptions } from './folder-snapshotter.ts';
import { createOverlaySnapshotter } from './overlay/overlay-snapshotter.ts';
import type { Snapshotter } from './snapshotter.ts';

export type SnapshotterName = 'overlay' | 'copy';

/** Why layers cannot be overlays in this folder; undefined if they can. Tries it out, which takes 1 ms or two. */
export function whyNoOverlay(root: string): string | undefined {
  mkdirSync(root, { recursive: true });
  const probe = mkdtempSync(join(root, 'probe-'));
  const [lower, upper, work, target] = ['lower', 'upper', 'work', 'merged'].map((name) => {
    const path = join(probe, name);
    mkdirSync(path);
    return path;
  }) as [string, string, string, string]; // four names in, four paths out
  try {
    closeSync(openSync(join(lower, 'file'), 'w'));
    mountOverlay({ lower: [lower], upper, work, target });
    try {
      unlinkSync(join(target, 'file'));
      setXattr(upper, 'trusted.overlay.opaque', Buffer.from('y'));
      return existsSync(join(upper, 'file')) ? undefined : 'deletions leave no whiteouts';
    } finally {
      unmount(target, { lazy: true });
    }
  } catch (error) {
    return messageOf(error);
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/** Overlays where the data root can hold them, copies otherwise. */
export function chooseSnapshotter(options: SnapshotterOptions): {
  readonly name: SnapshotterName;
  readonly snapshotter: Snapshotter;
} {
  const reason = whyNoOverlay(options.root);
  if (reason === undefined) return { name: 'overlay', snapshotter: createOverlaySnapshotter(options) };
  options.logger.warn(
    { root: options.root, reason },
    'no overlays possible here: layers will be full copies',
  );
  return { name: 'copy', snapshotter: createCopySnapshotter(options) };
}
