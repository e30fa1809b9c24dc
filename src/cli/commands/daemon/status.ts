import { ExitStatus, defineCommand, noArguments } from '../../command.ts';
import { printLine } from '../../context.ts';
import { answers, defaultPlaces, findPid } from '../../daemon/lifecycle.ts';
import { isEnabled } from '../../daemon/systemd.ts';
import { daemonUnit } from '../../daemon/units.ts';

export const command = defineCommand({
  synopsis: '',
  summary: 'Show whether the engine runs',
  arguments: noArguments,
  flags: {},
  async run(context) {
    const pid = findPid(defaultPlaces);
    const ready = await answers(defaultPlaces.socket);
    const process = pid === undefined ? '' : ` (pid ${pid})`;
    if (ready) {
      printLine(
        context.out,
        `wharfd is running${process}\n  socket: ${defaultPlaces.socket}\n  log:    ${isEnabled() ? `journal of ${daemonUnit}` : defaultPlaces.logFile}`,
      );
      return;
    }
    // As service managers answer: 3 for a program that does not run.
    throw new ExitStatus(
      3,
      pid === undefined
        ? 'wharfd is not running'
        : `wharfd${process} does not answer on ${defaultPlaces.socket}`,
    );
  },
});
