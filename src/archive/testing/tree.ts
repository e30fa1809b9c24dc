import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getXattr, listXattrs, unmountBelow } from '#linux';
import { tarHeader, writeTar, type NewTarEntry, type TarHeader } from '../index.ts';

/** An entry written down shortly: content as text gives a file its size. */
export type ShortEntry = Partial<TarHeader> & { readonly name: string; readonly text?: string };

export async function tarOf(...entries: ShortEntry[]): Promise<Buffer> {
  const full = entries.map(({ text, ...fields }): NewTarEntry => {
    const content = Buffer.from(text ?? '');
    return { header: tarHeader({ size: content.length, ...fields }), content };
  });
  return Buffer.concat(await Array.fromAsync(writeTar(full)));
}

/** A folder of a test's own, deleted with all mounts in it. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'wharf-archive-'));
  return {
    path,
    [Symbol.dispose]() {
      unmountBelow(path);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function describe(path: string): string {
  const stats = lstatSync(path, { bigint: true });
  const kinds = { d: stats.isDirectory(), l: stats.isSymbolicLink(), c: stats.isCharacterDevice() };
  const more = { b: stats.isBlockDevice(), p: stats.isFIFO(), s: stats.isSocket() };
  const kind = Object.entries({ ...kinds, ...more }).find(([, is]) => is)?.[0] ?? '-';
  const what = stats.isFile()
    ? readFileSync(path, 'latin1')
    : stats.isSymbolicLink()
      ? readlinkSync(path)
      : stats.rdev.toString();
  const xattrs = listXattrs(path)
    .sort()
    .map((name) => `${name}=${getXattr(path, name)?.toString('hex')}`);
  const time = stats.mtimeNs;
  return [kind, (stats.mode & 0o7777n).toString(8), stats.uid, stats.gid, time, what, ...xattrs].join(' ');
}

/** Every path below a folder with its kind, mode, owner, time, content and attributes, as one line each. */
export function describeTree(root: string, path = ''): Record<string, string> {
  const tree: Record<string, string> = { [path || '/']: describe(join(root, path)) };
  for (const name of readdirSync(join(root, path)).sort()) {
    const child = `${path}/${name}`;
    if (lstatSync(join(root, child)).isDirectory()) Object.assign(tree, describeTree(root, child));
    else tree[child] = describe(join(root, child));
  }
  return tree;
}

/** Just the paths. */
export const pathsIn = (root: string): string[] => Object.keys(describeTree(root)).slice(1).sort();
