import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * The command line of the engine that belongs to this program: `WHARF_DAEMON`, the bundle beside the executable
 * with the clone's Node, the clone's launcher, or wharfd on the PATH. Throws when there is none.
 */
export function findDaemon(
  env: Readonly<Record<string, string | undefined>>,
): readonly [string, ...string[]] {
  const given = env['WHARF_DAEMON'];
  if (given) return [given];
  const here = dirname(process.execPath);
  for (const root of [resolve(here, '..'), here, resolve(here, '../../..')]) {
    const bundle = join(root, 'dist', 'wharfd.js');
    const node = join(root, 'node_modules', '.bin', 'node');
    if (existsSync(bundle) && existsSync(node)) return [node, bundle];
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
