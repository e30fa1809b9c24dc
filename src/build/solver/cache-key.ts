import { createHash } from 'node:crypto';
import { planCopy } from '../files/plan-copy.ts';
import { ClientTree } from '../files/client-tree.ts';
import type { SourceTree } from '../files/source-tree.ts';
import type { CopyAction, FileSystem, FileVertex, Vertex } from '../graph/vertex.ts';
import { identityOf, type Result } from './result.ts';

/** Bumped when the same description comes to mean something else. */
const version = 1;

const hashOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([version, value]))
    .digest('hex');

/**
 * What a step is known by: its description with the identity of what it works on in place of its inputs. Files of a
 * client count by what the step takes of them, times not included, as BuildKit counts them.
 */
export function cacheKeyOf(vertex: Vertex, results: (system: FileSystem) => Result): string {
  const identity = (system: FileSystem): string =>
    system === 'scratch' ? 'scratch' : identityOf(results(system));
  switch (vertex.kind) {
    case 'exec': {
      const mounts = vertex.mounts.map((mount) =>
        'from' in mount ? { ...mount, from: identity(mount.from) } : mount,
      );
      return hashOf({ ...vertex, root: identity(vertex.root), mounts });
    }
    case 'file':
      return hashOf(fileKey(vertex, identity, (action) => copyKey(action, results, identity)));
    case 'merge':
      return hashOf({ ...vertex, layers: vertex.layers.map(identity) });
    default:
      return hashOf(vertex);
  }
}

/** The same for a file vertex when the contents of what it copies have been read. */
export const contentKeyOf = (
  vertex: FileVertex,
  base: Result,
  contents: ReadonlyMap<CopyAction, string>,
): string =>
  hashOf(
    fileKey(
      vertex,
      () => identityOf(base),
      (action) => contents.get(action),
    ),
  );

const fileKey = (
  vertex: FileVertex,
  identity: (system: FileSystem) => string,
  copy: (action: CopyAction) => unknown,
): unknown => ({
  ...vertex,
  base: vertex.base === 'scratch' ? 'scratch' : identity(vertex.base),
  actions: vertex.actions.map((action) => (action.kind === 'copy' ? copy(action) : action)),
});

function copyKey(
  action: CopyAction,
  results: (system: FileSystem) => Result,
  identity: (system: FileSystem) => string,
): unknown {
  const result = action.from === 'scratch' ? undefined : results(action.from);
  if (result?.kind === 'files') return { ...action, from: digestOfCopy(result.source, action) };
  return { ...action, from: identity(action.from) };
}

/** Of everything that a copy takes, but for times. */
export const digestOfCopy = (source: SourceTree, action: CopyAction): string =>
  source instanceof ClientTree
    ? source.digestOfCopy(action, (files) => digestOfTaken(files, action))
    : digestOfTaken(source, action);

function digestOfTaken(source: SourceTree, action: CopyAction): string {
  const digests = new Map([...source.values()].map(({ from, digest }) => [from, digest]));
  const hash = createHash('sha256');
  for (const { header, from } of planCopy(
    source,
    action,
    { isFolder: () => false, follow: (path) => path },
    undefined,
  )) {
    const { name, type, mode, uid, gid, linkName, deviceMajor, deviceMinor, xattrs } = header;
    const attributes = [...xattrs].map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    const contents = from === undefined ? '' : digests.get(from);
    hash.update(
      JSON.stringify([name, type, mode, uid, gid, linkName, deviceMajor, deviceMinor, attributes, contents]),
    );
  }
  return hash.digest('hex');
}
