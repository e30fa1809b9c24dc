import { readdirSync } from 'node:fs';
import { errnoOf, messageOf } from '#kernel';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { rootOf } from '../start/container-paths.ts';
import { examineProgram } from './program-file.ts';
import type { PortHolder, StartFacts, StartProblem } from './run-facts.ts';

/** What a failed start was due to. Called while what the start has opened, the root above all, is still there. */
export function examineStart(ctx: ContainerContext, record: ContainerRecord, error: unknown): StartFacts {
  const message = messageOf(error);
  let problem = problemOfMessage(message, error);
  if (problem.kind === 'other' && aboutTheProgram.test(message)) {
    try {
      problem = programProblem(ctx, record) ?? problem;
    } catch (failure) {
      ctx.options.logger.debug(
        { container: record.id, error: messageOf(failure) },
        'a failed start was not explained',
      );
    }
  }
  return { problem, message, at: ctx.options.clock.now() };
}

const aboutTheProgram =
  /exec: |exec format error|executable file not found|no such file or directory|permission denied|is a directory/;

/** What the words alone tell. Pure. */
export function problemOfMessage(message: string, error?: unknown): StartProblem {
  if (errnoOf(error) === 'ENOSPC' || /no space left on device|disk quota exceeded/.test(message)) {
    return { kind: 'disk-full' };
  }
  const port =
    /for (?:\[[^\]]*\]|[^:[\]]*):(\d+)(?: failed: port is already allocated|:.*address already in use)/.exec(
      message,
    );
  if (port) return { kind: 'port-taken', port: Number(port[1]), holder: holderOf(message) };
  const user = /unable to find (?:user|group) (.*?): no matching entries/.exec(message);
  if (user) return { kind: 'user-unknown', user: user[1] ?? '' };
  const cwd = /chdir to cwd \("(.*?)"\)|Cannot mkdir: (.*) is not a directory/.exec(message);
  if (cwd) return { kind: 'working-directory', path: cwd[1] ?? cwd[2] ?? '' };
  return { kind: 'other' };
}

function holderOf(message: string): PortHolder | undefined {
  const container = /already allocated \(by container (.*?)\)/.exec(message)?.[1];
  if (container !== undefined) return { container };
  const process = /is held by (.*) \(pid (\d+)\)/.exec(message);
  return process ? { name: process[1] ?? '', pid: Number(process[2]) } : undefined;
}

/** Nanoseconds within which a program that the kernel refuses has ended. */
const refusedWithin = 2_000_000_000n;

/**
 * What a run was due to that ended at once with 1: so ends a start that the kernel refused after the OCI runtime had
 * said that all was well. Undefined for a program that could be run. The root must still be mounted.
 */
export function examineExit(
  ctx: ContainerContext,
  record: ContainerRecord,
  { exitCode, ranFor }: { readonly exitCode: number | undefined; readonly ranFor: bigint },
): StartFacts | undefined {
  if (exitCode !== 1 || ranFor > refusedWithin || record.hostConfig.Init) return undefined;
  try {
    const problem = programProblem(ctx, record);
    if (!problem || !refusedByKernel.has(problem.kind)) return undefined;
    if (problem.kind !== 'interpreter-missing' && hasFurtherFormats()) return undefined;
    return { problem, message: 'the kernel refused to run the program', at: ctx.options.clock.now() };
  } catch (error) {
    ctx.options.logger.debug({ container: record.id, error: messageOf(error) }, 'an exit was not explained');
    return undefined;
  }
}

const refusedByKernel: ReadonlySet<string> = new Set([
  'interpreter-missing',
  'loader-missing',
  'architecture',
  'format',
]);

/** Emulators that are registered with the kernel run what it would refuse. */
function hasFurtherFormats(): boolean {
  try {
    return readdirSync('/proc/sys/fs/binfmt_misc').some((name) => name !== 'register' && name !== 'status');
  } catch {
    return false;
  }
}

function programProblem(ctx: ContainerContext, record: ContainerRecord): StartProblem | undefined {
  const { config } = record;
  const [program] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (program === undefined || program === '') return undefined;
  return examineProgram(rootOf(ctx, record.id), program, {
    cwd: config.WorkingDir || '/',
    env: config.Env ?? [],
  });
}
