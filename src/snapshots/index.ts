export type * from './snapshotter.ts';
export { chooseSnapshotter, whyNoOverlay, type SnapshotterName } from './choose-snapshotter.ts';
export { createCopySnapshotter } from './copy/copy-snapshotter.ts';
export type { SnapshotterOptions } from './folder-snapshotter.ts';
export { createOverlaySnapshotter } from './overlay/overlay-snapshotter.ts';
