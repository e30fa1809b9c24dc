import { hash } from 'node:crypto';
import { posix } from 'node:path';
import { planCopy } from '../files/plan-copy.ts';
import type { SourceEntry, SourceTree } from '../files/source-tree.ts';
import type { CopyAction, ExecMount, FileSystem, Vertex } from '../graph/vertex.ts';
import type { Result } from '../solver/result.ts';

/** The most files of one step that are remembered one by one; of more only what each folder holds. */
const mostFiles = 2000;

/** Contents first, so that they can be found again. */
const markOf = (digest: string, { mode, uid, gid, type, linkName }: SourceEntry['header']): string =>
  `${digest} ${mode.toString(8)} ${uid}:${gid} ${type} ${linkName}`;

/** The digest of the contents that a mark names; '' for what has none. */
export const contentsOf = (mark: string): string => mark.split(' ', 1)[0] ?? '';

function copiedFiles(source: SourceTree, action: CopyAction): [path: string, mark: string][] {
  const digests = new Map([...source.values()].map(({ from, digest }) => [from, digest]));
  const target = { isFolder: () => false, follow: (path: string) => path };
  const folder = `${posix.join('/', action.destination).replace(/\/$/, '')}/`.slice(1);
  const files: [string, string][] = [];
  for (const { header, from } of planCopy(source, action, target, undefined)) {
    if (header.type === 'folder') continue;
    const path = header.name.startsWith(folder) ? header.name.slice(folder.length) : '';
    files.push([path, markOf(from === undefined ? '' : (digests.get(from) ?? ''), header)]);
  }
  return files;
}

function mountedFiles(
  source: SourceTree,
  mount: Extract<ExecMount, { from: FileSystem }>,
): [path: string, mark: string][] {
  const root = mount.source.replace(/^\/+/, '');
  return [...source]
    .filter(([path, { header }]) => header.type !== 'folder' && (root === '' || path.startsWith(root)))
    .map(([path, { header, digest }]) => [path, markOf(digest, header)]);
}

/** What of a client's files a step takes. */
export function clientFiles(
  vertex: Vertex,
  resultOf: (system: FileSystem) => Result,
): Readonly<Record<string, string>> {
  const found: [string, string][] = [];
  const sourceOf = (system: FileSystem): SourceTree | undefined => {
    const result = system === 'scratch' ? undefined : resultOf(system);
    return result?.kind === 'files' ? result.source : undefined;
  };
  if (vertex.kind === 'file') {
    for (const action of vertex.actions) {
      const source = action.kind === 'copy' ? sourceOf(action.from) : undefined;
      if (source && action.kind === 'copy') found.push(...copiedFiles(source, action));
    }
  } else if (vertex.kind === 'exec') {
    for (const mount of vertex.mounts) {
      const source = 'from' in mount ? sourceOf(mount.from) : undefined;
      if (source && 'from' in mount) found.push(...mountedFiles(source, mount));
    }
  }
  return Object.fromEntries(found.length > mostFiles ? byFolder(found) : found);
}

/** What is in each of the outermost folders, as one. */
function byFolder(files: readonly (readonly [path: string, mark: string])[]): [string, string][] {
  const folders = new Map<string, string[]>();
  for (const [path, mark] of files) {
    const end = path.indexOf('/') + 1;
    const folder = end === 0 ? path : path.slice(0, end);
    const rows = folders.get(folder);
    if (rows) rows.push(path, mark);
    else folders.set(folder, [path, mark]);
  }
  return Array.from(folders, ([folder, rows]) => [folder, ` ${hash('sha256', rows.join('\n'))}`]);
}
