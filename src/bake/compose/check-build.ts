import type { ComposeNode } from './compose-tree.ts';
import { isMap } from './compose-tree.ts';

/** What the specification lets stand under `build`. */
const known = new Set([
  'additional_contexts',
  'args',
  'cache_from',
  'cache_to',
  'context',
  'dockerfile',
  'dockerfile_inline',
  'entitlements',
  'extra_hosts',
  'isolation',
  'labels',
  'network',
  'no_cache',
  'platforms',
  'privileged',
  'provenance',
  'pull',
  'sbom',
  'secrets',
  'shm_size',
  'ssh',
  'tags',
  'target',
  'ulimits',
]);

/** Throws where a service's `build` has what no build has. */
export function checkBuild(service: string, build: ComposeNode): void {
  if (typeof build === 'string') return;
  if (!isMap(build)) {
    throw new Error(`validating compose file: services.${service}.build must be a string or a mapping`);
  }
  const extra = Object.keys(build).filter((key) => !known.has(key) && !key.startsWith('x-'));
  if (extra.length === 0) return;
  throw new Error(
    `services.${service}.build additional properties ${extra.map((key) => `'${key}'`).join(', ')} not allowed`,
  );
}
