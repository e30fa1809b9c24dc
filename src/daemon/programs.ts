import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unavailable } from '#kernel';
import type { RuntimeProgram } from '#runtime';
import { findProgram } from './host-facts.ts';

/** Where the programs beside the daemon lie: the same folder when bundled, src/bin when run from source. */
export interface Programs {
  /** This Node. */
  readonly node: string;
  /** The supervisor's script. */
  readonly script: string;
}

export function programs(): Programs {
  const here = dirname(fileURLToPath(import.meta.url));
  const bundled = join(here, 'supervisor.js');
  return {
    node: process.execPath,
    script: existsSync(bundled) ? bundled : join(here, '../bin/supervisor.ts'),
  };
}

export interface ChosenRuntime {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  /** By name, all that containers may ask for. */
  readonly all: Readonly<Record<string, RuntimeProgram>>;
}

/** What containerd calls runc: the name that clients of Docker may know it by. */
const shimName = 'io.containerd.runc.v2';

/**
 * The OCI runtimes: crun and runc where they are installed, and the configured ones. The one asked for is the default,
 * else crun, else runc. Throws unavailable when it is not there.
 */
export function chooseRuntime(
  asked: string | undefined,
  configured: Readonly<Record<string, RuntimeProgram>>,
): ChosenRuntime {
  const path = process.env['PATH'] ?? '';
  const all: Record<string, RuntimeProgram> = {};
  for (const name of ['crun', 'runc']) {
    const found = findProgram([name], path);
    if (found !== undefined) all[name] = { path: found, args: [] };
  }
  for (const [name, { path: program, args }] of Object.entries(configured)) {
    all[name] = { path: program.startsWith('/') ? program : (findProgram([program], path) ?? program), args };
  }
  const name = asked ?? Object.keys(all)[0];
  const chosen = name === undefined ? undefined : all[name];
  if (name === undefined || chosen === undefined) {
    throw unavailable(
      asked === undefined || asked === 'crun' || asked === 'runc'
        ? `no OCI runtime was found: install ${asked ?? 'crun or runc'}`
        : `specified default runtime '${asked}' does not exist`,
    );
  }
  if (all['runc']) all[shimName] = all['runc'];
  return { name, ...chosen, all };
}

/** What the runtime says of its version; `unknown` when it cannot be asked. */
export function runtimeVersion(path: string): string {
  try {
    const text = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /version (\S+)/.exec(text)?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
