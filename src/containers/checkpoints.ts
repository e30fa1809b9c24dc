import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { conflict, errnoOf, internal, messageOf, unimplemented } from '#kernel';
import type { ContainerContext } from './context.ts';

const execute = promisify(execFile);
/** Milliseconds that a look at the host may take. */
const patience = 10_000;

/**
 * Refuses to freeze a container into files, and names what of it is missing here: containers live under a supervisor
 * that takes no restored processes over.
 */
export async function refuseCheckpoint(
  ctx: ContainerContext,
  ref: string,
  checkpoint: string,
): Promise<never> {
  const record = ctx.store.get(ref);
  if (record.state.status !== 'running') throw conflict(`container ${record.id} is not running`);
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(checkpoint)) {
    throw internal(`Invalid checkpoint ID (${checkpoint}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
  const { Runtime: runtime = '' } = record.hostConfig;
  const [built, kernel] = await Promise.all([
    builtWithCriu(ctx.options.host.runtimes[runtime]?.path ?? runtime),
    criuOnThisKernel(),
  ]);
  const missing = [
    'this engine does not take restored processes over',
    ...(built ? [] : [`the OCI runtime ${runtime} was built without CRIU`]),
    ...(kernel === undefined ? [] : [kernel]),
  ];
  throw unimplemented(`Cannot checkpoint container ${ref}: not supported: ${missing.join('; ')}`);
}

/** crun tells in its version whether it can; runc always can. */
async function builtWithCriu(program: string): Promise<boolean> {
  const answer = await execute(program, ['--version'], { timeout: patience }).catch(() => ({ stdout: '' }));
  return !answer.stdout.startsWith('crun') || answer.stdout.includes('+CRIU');
}

/** Why criu would fail here; undefined when it would not. */
async function criuOnThisKernel(): Promise<string | undefined> {
  try {
    await execute('criu', ['check'], { timeout: patience });
    return undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'criu is not installed';
    const reason = /^Error \([^)]*\): (.*)$/m.exec(messageOf(error))?.[1] ?? 'criu check fails';
    return `criu does not work on this kernel (${reason})`;
  }
}
