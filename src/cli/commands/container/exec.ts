import type { ContainerInspectResponse, ExecInspectResponse, IDResponse } from '#api/types';
import { ExitStatus, atLeast, defineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { bool, envWord, list, readWordFile, resolveEnvWord, string } from '../../flags/index.ts';
import { defaultDetachKeys, parseDetachKeys } from '../../terminal/detach-keys.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  summary: 'Run a command inside a running container',
  aliases: ['container exec', 'exec'],
  arguments: atLeast(2),
  stopsAtArgument: true,
  flags: {
    detach: bool('Leave the command running and return', { short: 'd' }),
    'detach-keys': string('Keys that leave the command running'),
    env: list("Environment variable, NAME=value or NAME for this client's own", {
      short: 'e',
      check: envWord,
    }),
    'env-file': list('File of environment variables, one a line'),
    interactive: bool('Keep standard input open', { short: 'i' }),
    privileged: bool('Give the command every right on the host'),
    tty: bool('Give the command a terminal', { short: 't' }),
    user: string('User and group, <name|uid>[:<group|gid>]', { short: 'u' }),
    workdir: string('Working directory inside the container', { short: 'w' }),
  },
  async run(context, { flags, args: [container = '', ...words] }) {
    const keys = flags['detach-keys'] || context.config.data.detachKeys || '';
    const { engine, terminal } = context;
    const stdin = flags.interactive && !flags.detach;
    if (stdin && flags.tty && !terminal.stdinIsTerminal) {
      // Docker asks for the container first, so that a wrong name is what the user hears of.
      await inspect(context, container);
      throw new Error('the input device is not a TTY');
    }
    const size = flags.tty ? terminal.size() : undefined;
    const { Id: id } = await engine.json<IDResponse>({
      method: 'POST',
      path: `/containers/${encodeURIComponent(container)}/exec`,
      json: {
        User: flags.user,
        Privileged: flags.privileged,
        Tty: flags.tty,
        AttachStdin: stdin,
        AttachStderr: !flags.detach,
        AttachStdout: !flags.detach,
        Detach: flags.detach,
        DetachKeys: keys,
        Env: environment(flags.env, flags['env-file'], context),
        WorkingDir: flags.workdir,
        Cmd: words,
        ...(size && { ConsoleSize: [size.rows, size.columns] }),
      },
    });
    if (flags.detach) {
      await engine.done({
        method: 'POST',
        path: `/exec/${id}/start`,
        json: { Detach: true, Tty: flags.tty },
      });
      return;
    }
    const code = await runAttached(context, id, flags.tty, stdin, keys);
    if (code !== 0) throw new ExitStatus(code);
  },
});

const inspect = (context: Context, container: string): Promise<ContainerInspectResponse> =>
  context.engine.json({ method: 'GET', path: `/containers/${encodeURIComponent(container)}/json` });

function environment(
  words: readonly string[],
  files: readonly string[],
  context: Context,
): readonly string[] | null {
  const all = [
    ...files.flatMap((path) => readWordFile(path, context.env)),
    ...words.map((word) => resolveEnvWord(word, context.env)),
  ];
  return all.length > 0 ? all : null;
}

async function runAttached(
  context: Context,
  id: string,
  tty: boolean,
  stdin: boolean,
  keys: string,
): Promise<number> {
  const { joinStreams } = await import('../../terminal/streams.ts');
  const size = tty ? context.terminal.size() : undefined;
  const { connection } = await context.engine.hijack({
    method: 'POST',
    path: `/exec/${id}/start`,
    json: { Detach: false, Tty: tty, ...(size && { ConsoleSize: [size.rows, size.columns] }) },
  });
  using _size = tty && context.terminal.stdinIsTerminal ? await follow(context, id) : undefined;
  await joinStreams(context, connection, {
    stdin,
    stdout: true,
    stderr: true,
    tty,
    detachKeys: keys === '' ? defaultDetachKeys : parseDetachKeys(keys),
  });
  const result = await context.engine.json<ExecInspectResponse>({ method: 'GET', path: `/exec/${id}/json` });
  return result.ExitCode ?? 0;
}

async function follow(context: Context, id: string): Promise<Disposable> {
  const { followSize } = await import('../../terminal/resize.ts');
  return followSize(context, `/exec/${id}`);
}
