import type { ListedEntry } from '../archiver.ts';
import { listTree } from './list-tree.ts';

/** More of them tell nobody more. */
const most = 20;

/** What is compared, in words. Folders' times are their contents' doing, and the topmost folder is the snapshot's. */
function partsOf({ header, sha256 }: ListedEntry): Readonly<Record<string, string>> {
  const { type, mode, uid, gid, size, mtime, linkName, deviceMajor, deviceMinor, xattrs } = header;
  const attributes = [...xattrs].map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`);
  return {
    kind: type,
    mode: mode.toString(8),
    owner: `${uid}:${gid}`,
    size: String(size),
    time: type === 'folder' || type === 'hardlink' ? '' : String(mtime),
    target: linkName,
    device: `${deviceMajor}:${deviceMinor}`,
    attributes: attributes.sort().join(' '),
    content: sha256 ?? '',
  };
}

/** How a tree differs from another one that it should equal: a line for each path, 20 at most. */
export function compareTrees(
  { path, model }: { readonly path: string; readonly model: string },
  check: () => void,
): readonly string[] {
  const list = (root: string): Map<string, ListedEntry> =>
    new Map(
      listTree({ root, path: '', digests: true, depth: Infinity }, check).map((each) => [
        each.header.name,
        each,
      ]),
    );
  const [found, wanted] = [list(path), list(model)];
  const lines: string[] = [];
  for (const name of new Set([...wanted.keys(), ...found.keys()])) {
    if (lines.length === most) break;
    if (name === '.') continue;
    const [one, two] = [found.get(name), wanted.get(name)];
    if (!one || !two) {
      lines.push(`/${name} is ${one ? 'not part of the layer' : 'missing'}`);
      continue;
    }
    const [has, should] = [partsOf(one), partsOf(two)];
    const wrong = Object.keys(should).filter((part) => has[part] !== should[part]);
    if (wrong.length > 0) lines.push(`/${name} has another ${wrong.join(', ')}`);
  }
  return lines;
}
