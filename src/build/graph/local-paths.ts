import { posix } from 'node:path';
import type { StageNode } from './stage-node.ts';

/** Relative and in order; undefined where the root itself is read. */
function needed(paths: ReadonlySet<string>): readonly string[] | undefined {
  if (paths.has('/')) return undefined;
  return [...paths].map((path) => posix.join('.', path)).sort();
}

/** Which paths a client has to send of each set of its files. */
export function localPaths(
  contextPaths: ReadonlySet<string>,
  nodes: readonly StageNode[],
): Map<string, readonly string[] | undefined> {
  const byName = new Map<string, Set<string>>([['context', new Set(contextPaths)]]);
  for (const { localName, paths } of nodes) {
    if (localName === undefined) continue;
    byName.set(localName, new Set([...(byName.get(localName) ?? []), ...paths]));
  }
  return new Map(Array.from(byName, ([name, paths]) => [name, needed(paths)]));
}
