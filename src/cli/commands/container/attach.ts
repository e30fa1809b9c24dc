import type { ContainerInspectResponse } from '#api/types';
import { ExitStatus, defineCommand, exactly } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { containerPath } from '../each.ts';
import { attachRunning } from './attach-running.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER',
  summary: 'Connect this terminal to the streams of a running container',
  aliases: ['container attach', 'attach'],
  arguments: exactly(1),
  flags: {
    'detach-keys': string('Keys that leave the container running'),
    'no-stdin': bool('Do not connect standard input'),
    'sig-proxy': bool('Send signals on to the program', { initial: true }),
  },
  async run(context, { flags, args: [name = ''] }) {
    const container = await context.engine.json<ContainerInspectResponse>({
      method: 'GET',
      path: `${containerPath(name)}/json`,
    });
    const { State, Config } = container;
    if (!State.Running) throw new Error('cannot attach to a stopped container, start it first');
    if (State.Paused) throw new Error('cannot attach to a paused container, unpause it first');
    if (State.Restarting)
      throw new Error('cannot attach to a restarting container, wait until it is running');
    const stdin = !flags['no-stdin'] && Config.OpenStdin === true;
    if (!flags['no-stdin'] && Config.Tty === true && !context.terminal.stdinIsTerminal) {
      throw new Error('the input device is not a TTY');
    }
    const code = await attachRunning(context, container, {
      stdin,
      keys: flags['detach-keys'] || context.config.data.detachKeys || '',
      proxy: flags['sig-proxy'] && Config.Tty !== true,
    });
    if (code !== 0) throw new ExitStatus(code);
  },
});
