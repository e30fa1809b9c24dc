import { internal } from '#kernel';
import { posix } from 'node:path';
import type { Archiver } from '#archive';
import type { CopyAction } from '../graph/vertex.ts';
import type { Result } from '../solver/result.ts';
import type { BuildParts } from '../solver/ports.ts';
import { sourceOfFolder, type SourceTree } from '../files/source-tree.ts';
import { mountedLayers, resolveIn } from './mounted.ts';

const isPattern = (name: string): boolean => /[*?[\\]/.test(name);

/** The part of a pattern that names one folder. */
function fixedPart(source: string): string {
  const names = source.split('/');
  const first = names.findIndex(isPattern);
  return first === -1 ? source : names.slice(0, first).join('/');
}

/** What a copy may take from a mounted file system, and the action as it then stands. */
export async function sourceInFolder(
  archiver: Archiver,
  root: string,
  action: CopyAction,
  options: { readonly signal: AbortSignal; readonly digests?: boolean },
): Promise<{ readonly source: SourceTree; readonly action: CopyAction }> {
  const fixed = action.pattern ? fixedPart(action.source) : action.source;
  const place = resolveIn(root, fixed);
  if (!place) return { source: new Map(), action };
  const folder = place.isFolder ? place.path : posix.dirname(place.path).replace(/^\.$/, '');
  const listed = await archiver.listTree({
    root,
    path: `/${folder}`,
    ...options,
    ...(!place.isFolder && { depth: 1 }),
  });
  const prefixed = sourceOfFolder(
    root,
    listed.map((entry) => underFolder(entry, folder)),
  );
  // The folders above are there too, so that paths can be followed from the root.
  const source: SourceTree = new Map([...foldersAbove(folder), ...prefixed]);
  return { source, action: { ...action, source: `/${place.path}${action.source.slice(fixed.length)}` } };
}

type Listed = Awaited<ReturnType<Archiver['listTree']>>[number];

function underFolder(entry: Listed, folder: string): Listed {
  if (folder === '') return entry;
  const { header } = entry;
  const name = header.name === '.' ? folder : `${folder}/${header.name}`;
  const linkName = header.type === 'hardlink' ? `${folder}/${header.linkName}` : header.linkName;
  return { ...entry, header: { ...header, name, linkName } };
}

function foldersAbove(folder: string): SourceTree {
  const names = folder.split('/').filter((name) => name !== '');
  const paths = names.map((_, index) => names.slice(0, index).join('/'));
  return new Map(
    paths.map((path) => [
      path,
      {
        header: {
          ...{
            name: path,
            type: 'folder',
            linkName: '',
            mode: 0o755,
            uid: 0,
            gid: 0,
            userName: '',
            groupName: '',
          },
          ...{ size: 0, mtime: 0n, deviceMajor: 0, deviceMinor: 0, xattrs: new Map<string, Uint8Array>() },
        },
        from: undefined,
        digest: '',
      } as const,
    ]),
  );
}

/** Does something with what a copy may take of a result. */
export async function withSource<T>(
  parts: BuildParts,
  result: Result,
  action: CopyAction,
  options: { readonly signal: AbortSignal; readonly digests?: boolean },
  work: (source: SourceTree, action: CopyAction) => Promise<T>,
): Promise<T> {
  if (result.kind === 'files') return work(result.source, action);
  if (result.kind === 'known') throw internal('files are read before they are here');
  return mountedLayers(parts, result.layers, async (root) => {
    const found = await sourceInFolder(parts.archiver, root, action, options);
    return work(found.source, found.action);
  });
}
