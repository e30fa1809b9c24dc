import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ExitStatus } from '../../command.ts';
import { findRegistry } from '../../daemon/find-daemon.ts';

type FlagValue = string | boolean | readonly string[];

/** Options as they were typed; what was not given stays the program's to decide. */
export function optionsOf(
  flags: Readonly<Record<string, FlagValue>>,
  changed: ReadonlySet<string>,
): readonly string[] {
  return Object.entries(flags)
    .filter(([name]) => changed.has(name))
    .flatMap(([name, value]) => {
      if (typeof value === 'boolean') return value ? [`--${name}`] : [];
      return (typeof value === 'string' ? [value] : value).map((text) => `--${name}=${text}`);
    });
}

/** Runs the registry's program in the foreground. Throws ExitStatus with its code where that is not 0. */
export async function runRegistryProgram(args: readonly string[]): Promise<void> {
  const [program, ...own] = findRegistry();
  const child = spawn(program, [...own, ...args], { stdio: 'inherit' });
  // An interrupt from the terminal reaches both; this one waits for the program to end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new ExitStatus(code ?? 1);
}
