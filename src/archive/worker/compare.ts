import type { BigIntStats } from 'node:fs';
import { close } from '#linux';
import type { Change } from '../archiver.ts';
import { readXattrs } from './attributes.ts';
import { isOpaque, LowerView } from './lower-view.ts';
import { openRoot } from './pack-tree.ts';
import { isWhiteout, linkPlaceIn, lstatIn, namesIn, openFolderIn } from './places.ts';

const sameXattrs = (left: string, right: string): boolean => {
  const [one, two] = [readXattrs(left), readXattrs(right)];
  if (one.size !== two.size) return false;
  return [...one].every(([name, value]) => two.get(name)?.equals(value));
};

/** Folders' times and sizes change with their contents and say nothing about themselves. */
function sameStats(one: BigIntStats, two: BigIntStats): boolean {
  if (one.mode !== two.mode || one.uid !== two.uid || one.gid !== two.gid || one.rdev !== two.rdev)
    return false;
  return one.isDirectory() || (one.size === two.size && one.mtimeNs === two.mtimeNs);
}

interface Comparison {
  readonly changes: Change[];
  /** The upper tree is a full copy, not an overlay's upper folder. */
  readonly isCopy: boolean;
  check(): void;
}

/** Adds what differs in one folder; returns whether anything does. */
function compareFolder(
  comparison: Comparison,
  fd: number,
  path: string,
  lower: LowerView,
  hidesLower: boolean,
): boolean {
  const { changes, isCopy } = comparison;
  const before = changes.length;
  const names = namesIn(fd);
  for (const name of names) {
    comparison.check();
    const stats = lstatIn(fd, name);
    if (stats) compareEntry(comparison, { fd, name, stats }, `${path}/${name}`, lower);
  }
  if (isCopy || hidesLower) {
    const present = new Set(names);
    for (const name of lower.names()) {
      if (!present.has(name)) changes.push({ path: `${path}/${name}`, kind: 'deleted' });
    }
  }
  return changes.length > before;
}

function compareEntry(
  comparison: Comparison,
  { fd, name, stats }: { fd: number; name: string; stats: BigIntStats },
  path: string,
  lower: LowerView,
): void {
  const { changes, isCopy } = comparison;
  const old = lower.find(name);
  if (!isCopy && isWhiteout(stats)) {
    if (old) changes.push({ path, kind: 'deleted' });
    return;
  }
  if (!old) changes.push({ path, kind: 'added' });
  const same = old && sameStats(stats, old.stats) && sameXattrs(linkPlaceIn(fd, name), old.path);
  if (!stats.isDirectory()) {
    if (old && !(isCopy && same)) changes.push({ path, kind: 'modified' });
    return;
  }
  const below = openFolderIn(fd, name);
  try {
    const hides = !isCopy && old !== undefined && isOpaque(below);
    const changed = compareFolder(comparison, below, path, lower.enter(name), hides);
    if (old && (changed || !same)) changes.push({ path, kind: 'modified' });
  } finally {
    close(below);
  }
}

/**
 * What a layer changes in what lies below, sorted by path. A folder counts as modified if its own attributes
 * differ or anything in it does; of a deleted or replaced folder only the topmost names are listed.
 */
export function compareLayer(
  folders: { upper: string; lower: readonly string[]; base: string | undefined },
  check: () => void,
): Change[] {
  const { upper, lower, base } = folders;
  const comparison = { changes: [], isCopy: base !== undefined, check } satisfies Comparison;
  const view = new LowerView(base === undefined ? lower : [base]);
  const fd = openRoot(upper);
  try {
    compareFolder(comparison, fd, '', view, false);
  } finally {
    close(fd);
  }
  const changes: Change[] = comparison.changes;
  const keyed = changes.map((change) => ({ change, key: Buffer.from(change.path) }));
  return keyed.sort((one, two) => Buffer.compare(one.key, two.key)).map(({ change }) => change);
}
