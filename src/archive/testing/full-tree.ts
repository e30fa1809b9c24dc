import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { pathFromBytes } from '#kernel';
import { deviceMajor, deviceMinor, getXattr, listXattrs } from '#linux';

/** Everything that the file system tells of one thing, for comparing. */
export interface FullEntry {
  readonly kind: string;
  readonly mode: string;
  readonly owner: string;
  /** Nanoseconds; `now` for a time of the last hour, which the archive cannot have meant. */
  readonly mtime: string;
  readonly size: string;
  /** Blocks of 512 bytes that it takes: a sparse file takes fewer than its size. */
  readonly blocks: string;
  /** The hash of a file, the target of a link, the number of a device. */
  readonly what: string;
  readonly xattrs: readonly string[];
  /** The first path, in order, that is the same file. */
  readonly twin: string;
}

const hour = 3600n * 1_000_000_000n;

function kindOf(mode: bigint): string {
  const kinds: Record<string, string> = {
    '1': 'fifo',
    '2': 'character',
    '4': 'folder',
    '6': 'block',
    '8': 'file',
    '10': 'symlink',
    '12': 'socket',
  };
  return kinds[String((mode >> 12n) & 15n)] ?? 'unknown';
}

function whatOf(kind: string, path: Buffer, rdev: bigint): string {
  if (kind === 'file') return createHash('sha256').update(readFileSync(path)).digest('hex');
  if (kind === 'symlink') return readlinkSync(path, { encoding: 'buffer' }).toString('latin1');
  return kind === 'character' || kind === 'block' ? `${deviceMajor(rdev)}:${deviceMinor(rdev)}` : '';
}

/** Everything below a folder by its path (bytes as latin1), and the folder itself as ''. */
export function fullTree(root: string): Map<string, FullEntry> {
  const tree = new Map<string, FullEntry>();
  const twins = new Map<bigint, string>();
  const now = BigInt(Date.now()) * 1_000_000n;
  const visit = (path: string): void => {
    const place = Buffer.from(`${root}${path === '' ? '' : '/'}${path}`, 'latin1');
    const stats = lstatSync(place, { bigint: true });
    const kind = kindOf(stats.mode);
    const twin = twins.get(stats.ino) ?? path;
    if (kind !== 'folder') twins.set(stats.ino, twin);
    const target = pathFromBytes(place);
    const age = now - stats.mtimeNs;
    tree.set(path, {
      kind,
      mode: (stats.mode & 0o7777n).toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      mtime: age > -hour && age < hour ? 'now' : String(stats.mtimeNs),
      size: kind === 'folder' ? '' : String(stats.size),
      blocks: kind === 'file' ? String(stats.blocks) : '',
      what: whatOf(kind, place, stats.rdev),
      xattrs: listXattrs(target)
        .sort()
        .map((name) => `${name}=${getXattr(target, name)?.toString('hex')}`),
      twin,
    });
    if (kind !== 'folder') return;
    const names = readdirSync(place, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
    for (const name of names.sort()) visit(path === '' ? name : `${path}/${name}`);
  };
  visit('');
  return tree;
}

/** How two trees differ, a line for each field; `ignore` says which differences are meant. */
export function differences(
  one: ReadonlyMap<string, FullEntry>,
  two: ReadonlyMap<string, FullEntry>,
  ignore: (path: string, field: keyof FullEntry) => boolean = () => false,
): string[] {
  const found: string[] = [];
  for (const path of new Set([...one.keys(), ...two.keys()])) {
    const [left, right] = [one.get(path), two.get(path)];
    if (!left || !right) {
      found.push(
        `${JSON.stringify(path)} is only in the ${left ? 'first' : 'second'} (${(left ?? right)?.kind})`,
      );
      continue;
    }
    for (const field of Object.keys(left) as (keyof FullEntry)[]) {
      const [before, after] = [String(left[field]), String(right[field])];
      if (before === after || ignore(path, field)) continue;
      found.push(`${JSON.stringify(path)} (${left.kind}): ${field} is ${before} and ${after}`);
    }
  }
  return found;
}
