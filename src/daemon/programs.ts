import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unavailable } from '#kernel';
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
  /** Paths by name of all that are installed. */
  readonly all: Readonly<Record<string, string>>;
}

/** The OCI runtime: the one asked for, else crun, else runc. Throws unavailable when it is not installed. */
export function chooseRuntime(asked: 'crun' | 'runc' | undefined): ChosenRuntime {
  const path = process.env['PATH'] ?? '';
  const all: Record<string, string> = {};
  for (const name of ['crun', 'runc']) {
    const found = findProgram([name], path);
    if (found !== undefined) all[name] = found;
  }
  const name = asked ?? Object.keys(all)[0];
  const chosen = name === undefined ? undefined : all[name];
  if (name === undefined || chosen === undefined) {
    throw unavailable(`no OCI runtime was found: install ${asked ?? 'crun or runc'}`);
  }
  return { name, path: chosen, all };
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
