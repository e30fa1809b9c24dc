import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ContainerTopResponse } from '#api/types';
import { conflict, internal, invalidArgument, messageOf } from '#kernel';
import type { ContainerContext } from './context.ts';

const run = promisify(execFile);

/** `ps` of the host, narrowed to the container's processes. `psArgs` as the user gave them (default `-ef`). */
export async function top(ctx: ContainerContext, ref: string, psArgs: string): Promise<ContainerTopResponse> {
  const record = ctx.store.get(ref);
  if (record.state.status !== 'running') throw conflict(`container ${record.id} is not running`);
  const args = (psArgs === '' ? '-ef' : psArgs).split(/\s+/).filter((arg) => arg !== '');
  if (!args.every((arg) => /^[\w.,:=%+-]+$/.test(arg)))
    throw invalidArgument(`invalid ps arguments: ${psArgs}`);
  const pids = new Set(await ctx.options.runtime.pids(record.id));
  const { stdout } = await run('ps', args, {
    maxBuffer: 1 << 26,
    env: { ...process.env, LC_ALL: 'C' },
  }).catch((error: unknown) => {
    throw internal(psComplaint(error), error);
  });
  const processes = narrow(stdout, pids);
  ctx.publish(record, 'top');
  return processes;
}

/** What ps says first is the reason; its usage follows. */
function psComplaint(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).split('\n')[0] : '';
  return said ? `ps: ${said}` : `Error running ps: ${messageOf(error)}`;
}

/** The lines of a `ps` output whose PID column is among `pids`; the last column keeps its spaces. Pure. */
export function narrow(output: string, pids: ReadonlySet<number>): ContainerTopResponse {
  const [head = '', ...lines] = output.split('\n');
  const Titles = head.trim().split(/\s+/);
  const pidColumn = Titles.indexOf('PID');
  if (pidColumn < 0) throw invalidArgument("Couldn't find PID field in ps output");
  const rows = lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const fields = line.trim().split(/\s+/);
      const kept = fields.slice(0, Titles.length - 1);
      return fields.length >= Titles.length ? [...kept, fields.slice(Titles.length - 1).join(' ')] : fields;
    });
  return { Titles, Processes: rows.filter((row) => pids.has(Number(row[pidColumn]))) };
}
