import type { ContainerCreateRequest } from '#api/types';
import { messageOf } from '#kernel';
import { ExitStatus, atLeast, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import type { Context } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { Detached, defaultDetachKeys, parseDetachKeys } from '../../terminal/detach-keys.ts';
import { checkPull, createContainer } from './create-container.ts';
import { createFlags } from './create-flags.ts';
import { makeCreateRequest } from './create-request.ts';
import { exitCode } from './exit-code.ts';

const runFlags = {
  ...createFlags,
  detach: bool('Leave the container running and print its id', { short: 'd' }),
  'detach-keys': string('Keys that leave the container running'),
  'sig-proxy': bool('Send signals on to the program', { initial: true }),
};

export const command = defineCommand({
  synopsis: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create a container from an image and start it',
  aliases: ['container run', 'run'],
  arguments: atLeast(1),
  stopsAtArgument: true,
  flags: runFlags,
  async run(context, { flags, changed, args }) {
    const plan = makePlan(context, flags, changed, args);
    const body = adapt(context, plan, flags.detach, flags.attach.length > 0);
    const keys = flags['detach-keys'] || context.config.data.detachKeys || '';
    const detachKeys = keys === '' ? defaultDetachKeys : parseDetachKeys(keys);
    const id = await createContainer(context, flags, body).catch((error: unknown) => {
      throw failure(context, error, 125);
    });
    using _signals = flags['sig-proxy'] && !flags.detach ? await proxy(context, id) : undefined;
    if (!body.AttachStdin && !body.AttachStdout && !body.AttachStderr) {
      await start(context, id);
      printLine(context.out, id);
      return;
    }
    const code = await runAttached(context, id, body, { detachKeys, keys, remove: flags.rm });
    if (code === 1 && !flags.rm) await tellRefusal(context, id);
    if (code !== 0) throw new ExitStatus(code);
  },
});

function makePlan(
  context: Context,
  flags: Parameters<typeof makeCreateRequest>[0],
  changed: ReadonlySet<string>,
  args: readonly string[],
): ContainerCreateRequest {
  try {
    checkPull(flags.pull);
    return makeCreateRequest(flags, changed, args, context.env);
  } catch (error) {
    if (error instanceof ExitStatus) throw error;
    throw new ExitStatus(125, `${context.program}: ${messageOf(error)}`, {
      pointsToHelp: true,
      cause: error,
    });
  }
}

function adapt(
  context: Context,
  body: ContainerCreateRequest,
  detach: boolean,
  attach: boolean,
): ContainerCreateRequest {
  if (detach) {
    if (attach) throw new Error('conflicting options: cannot specify both --attach and --detach');
    return { ...body, AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false };
  }
  if (!body.Tty) return body;
  checkTerminal(context, body.AttachStdin === true);
  const size = context.terminal.size();
  return size
    ? { ...body, HostConfig: { ...body.HostConfig, ConsoleSize: [size.rows, size.columns] } }
    : body;
}

/** A TTY with standard input needs a terminal to read from. */
export function checkTerminal(context: Context, stdin: boolean): void {
  if (stdin && !context.terminal.stdinIsTerminal) throw new Error('the input device is not a TTY');
}

async function proxy(context: Context, id: string): Promise<Disposable> {
  const { proxySignals } = await import('../../terminal/signals.ts');
  return proxySignals(context, id);
}

/** Docker's exit codes for a container that could not be made or started. */
function failure(context: Context, error: unknown, fallback: number, hint?: string): ExitStatus {
  const text = messageOf(error);
  const notFound =
    /executable file not found|no such file or directory|system cannot find the file specified/;
  const code = notFound.test(text) ? 127 : /permission denied|is a directory/.test(text) ? 126 : fallback;
  const lines = [`${context.program}: ${text}`, ...(hint === undefined ? [] : [hint])];
  return new ExitStatus(code, lines.join('\n'), { pointsToHelp: true, cause: error });
}

async function start(context: Context, id: string): Promise<void> {
  try {
    await context.engine.done({ method: 'POST', path: `/containers/${id}/start` });
  } catch (error) {
    const { startHint } = await import('../../why/start-hint.ts');
    throw failure(context, error, 125, await startHint(context, id, error));
  }
}

/** The kernel may have refused the program after the engine had called it started. */
async function tellRefusal(context: Context, id: string): Promise<void> {
  const { startHint } = await import('../../why/start-hint.ts');
  const hint = await startHint(context, id, '');
  if (hint !== undefined) printLine(context.err, hint);
}

interface RunAttachedOptions {
  readonly detachKeys: Uint8Array;
  /** As the user gave them; empty for the default. */
  readonly keys: string;
  readonly remove: boolean;
}

/** attach → wait → start, in this order, so that neither output nor exit code can be missed. */
async function runAttached(
  context: Context,
  id: string,
  body: ContainerCreateRequest,
  options: RunAttachedOptions,
): Promise<number> {
  const { joinStreams } = await import('../../terminal/streams.ts');
  const {
    AttachStdin = false,
    AttachStdout = false,
    AttachStderr = false,
    Tty = false,
    OpenStdin = false,
  } = body;
  const stdin = AttachStdin && OpenStdin;
  const [{ connection }, waiting] = await Promise.all([
    context.engine.hijack({
      method: 'POST',
      path: `/containers/${id}/attach`,
      query: {
        stream: true,
        stdin,
        stdout: AttachStdout,
        stderr: AttachStderr,
        detachKeys: options.keys || undefined,
      },
      contentType: 'text/plain',
    }),
    context.engine.send({
      method: 'POST',
      path: `/containers/${id}/wait`,
      query: { condition: options.remove ? 'removed' : 'next-exit' },
    }),
  ]);
  const streams = joinStreams(context, connection, {
    stdin,
    stdout: AttachStdout,
    stderr: AttachStderr,
    tty: Tty,
    detachKeys: options.detachKeys,
  });
  streams.catch(() => undefined);
  try {
    await start(context, id);
  } catch (error) {
    connection.destroy();
    await streams.catch(() => undefined);
    if (options.remove) await exitCode(waiting).catch(() => 0);
    throw error;
  }
  using _size = Tty && context.terminal.stdoutIsTerminal ? await followContainer(context, id) : undefined;
  try {
    await streams;
  } catch (error) {
    if (error instanceof Detached) return 0;
    throw error;
  }
  return await exitCode(waiting);
}

async function followContainer(context: Context, id: string): Promise<Disposable> {
  const { followSize } = await import('../../terminal/resize.ts');
  return followSize(context, `/containers/${id}`);
}
