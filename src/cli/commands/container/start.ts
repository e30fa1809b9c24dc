import type { ContainerInspectResponse } from '#api/types';
import { messageOf } from '#kernel';
import { ExitStatus, atLeast, defineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { printLine } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { containerPath } from '../each.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Start one or more stopped containers',
  aliases: ['container start', 'start'],
  arguments: atLeast(1),
  flags: {
    attach: bool('Connect to the output and send signals on', { short: 'a' }),
    checkpoint: string('Checkpoint to start from', { hidden: true }),
    'checkpoint-dir': string('Folder of the checkpoint', { hidden: true }),
    'detach-keys': string('Keys that leave the container running'),
    interactive: bool('Connect standard input', { short: 'i' }),
  },
  async run(context, { flags, args }) {
    if (!flags.attach && !flags.interactive) {
      await startAll(context, args, { checkpoint: flags.checkpoint, folder: flags['checkpoint-dir'] });
      return;
    }
    if (args.length > 1) throw new Error('you cannot start and attach multiple containers at once');
    const [name = ''] = args;
    const container = await context.engine.json<ContainerInspectResponse>({
      method: 'GET',
      path: `${containerPath(name)}/json`,
    });
    const { Config, HostConfig } = container;
    const stdin = flags.interactive && Config.OpenStdin === true;
    if (flags.interactive && Config.Tty === true && !context.terminal.stdinIsTerminal) {
      throw new Error('the input device is not a TTY');
    }
    const { attachRunning } = await import('./attach-running.ts');
    const code = await attachRunning(context, container, {
      stdin,
      keys: flags['detach-keys'] || context.config.data.detachKeys || '',
      proxy: Config.Tty !== true,
      condition: HostConfig.AutoRemove === true ? 'removed' : 'next-exit',
      start: () => context.engine.done({ method: 'POST', path: `/containers/${container.Id}/start` }),
    });
    if (code !== 0) throw new ExitStatus(code);
  },
});

async function startAll(
  context: Context,
  names: readonly string[],
  { checkpoint, folder }: { checkpoint: string; folder: string },
): Promise<void> {
  const failed: string[] = [];
  for (const name of names) {
    try {
      await context.engine.done({
        method: 'POST',
        path: `${containerPath(name)}/start`,
        query: { checkpoint: checkpoint || undefined, 'checkpoint-dir': folder || undefined },
      });
      printLine(context.out, name);
    } catch (error) {
      context.err.write(`${messageOf(error)}\n`);
      const { startHint } = await import('../../why/start-hint.ts');
      const hint = await startHint(context, name, error);
      if (hint !== undefined) context.err.write(`${hint}\n`);
      failed.push(name);
    }
  }
  if (failed.length > 0) throw new ExitStatus(1, `Error: failed to start containers: ${failed.join(', ')}`);
}
