import { defineCommand, noArguments } from '../../command.ts';
import { printLine } from '../../context.ts';
import { defaultPlaces, stopDaemon } from '../../daemon/lifecycle.ts';

export const command = defineCommand({
  synopsis: '',
  summary: 'Stop the engine; containers run on',
  arguments: noArguments,
  flags: {},
  async run(context) {
    const pid = await stopDaemon(defaultPlaces);
    printLine(context.out, pid === undefined ? 'The engine is not running.' : `Stopped wharfd (pid ${pid}).`);
  },
});
