import type { BuildGraph } from './graph/graph-builder.ts';
import type { BuildPlan } from './graph/plan-options.ts';

/** What several plans have in common is in it once. */
export function mergedGraph(plans: readonly BuildPlan[]): BuildGraph {
  const vertices = new Map(plans.flatMap(({ graph }) => [...graph.vertices]));
  const steps = new Map(plans.flatMap(({ graph }) => [...graph.steps]));
  return { vertices, steps };
}

/** The paths that some plan needs of each set of files; undefined for all. */
export function mergedPaths(plans: readonly BuildPlan[]): ReadonlyMap<string, readonly string[] | undefined> {
  const merged = new Map<string, readonly string[] | undefined>();
  for (const [name, paths] of plans.flatMap(({ localPaths }) => [...localPaths])) {
    const known = merged.get(name);
    const isAll = paths === undefined || (merged.has(name) && known === undefined);
    merged.set(name, isAll ? undefined : [...new Set([...(known ?? []), ...paths])]);
  }
  return merged;
}
