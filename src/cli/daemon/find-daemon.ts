import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The command line of the registry that belongs to this program. Throws when there is none. */
export function findRegistry(): readonly [string, ...string[]] {
  const found = roots()
    .map((root) => bundleIn(root, 'registry.js'))
    .find((command) => command !== undefined);
  if (!found) throw new Error('the program registry.js was not found beside this program');
  return found;
}

/** Where a clone may be, seen from the executable. */
function roots(): readonly string[] {
  const here = dirname(process.execPath);
  return [resolve(here, '..'), here, resolve(here, '../../..')];
}

/** A clone's Node with one of its bundles. */
function bundleIn(root: string, name: string): readonly [string, string] | undefined {
  const bundle = join(root, 'dist', name);
  const node = join(root, 'node_modules', '.bin', 'node');
  return existsSync(bundle) && existsSync(node) ? [node, bundle] : undefined;
}

/**
 * The command line of the engine that belongs to this program: `WHARF_DAEMON`, the bundle beside the executable
 * with the clone's Node, the clone's launcher, or wharfd on the PATH. Throws when there is none.
 */
export function findDaemon(
  env: Readonly<Record<string, string | undefined>>,
): readonly [string, ...string[]] {
  const given = env['WHARF_DAEMON'];
  if (given) return [given];
  for (const root of roots()) {
    const bundled = bundleIn(root, 'wharfd.js');
    if (bundled) return bundled;
    const launcher = join(root, 'wharfd');
    if (isFile(launcher)) return [launcher];
  }
  for (const folder of (env['PATH'] ?? '').split(':')) {
    const launcher = join(folder, 'wharfd');
    if (folder !== '' && isFile(launcher)) return [launcher];
  }
  throw new Error(
    'the engine wharfd was not found beside this program or on the PATH; set WHARF_DAEMON to its path',
  );
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();
