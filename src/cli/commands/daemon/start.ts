import { atLeast, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import { findDaemon } from '../../daemon/find-daemon.ts';
import { answers, defaultPlaces, findPid, startDaemon } from '../../daemon/lifecycle.ts';
import { isEnabled, systemctl } from '../../daemon/systemd.ts';
import { daemonUnit } from '../../daemon/units.ts';

export const command = defineCommand({
  synopsis: '[-- OPTIONS OF wharfd]',
  summary: 'Start the engine in the background',
  arguments: atLeast(0),
  stopsAtArgument: true,
  flags: {},
  async run(context, { args }) {
    if (await answers(defaultPlaces.socket)) {
      const pid = findPid(defaultPlaces);
      printLine(context.out, `The engine is running already${pid === undefined ? '' : ` (pid ${pid})`}.`);
      return;
    }
    if (args.length === 0 && isEnabled()) {
      systemctl('start', daemonUnit);
      printLine(context.out, `Started ${daemonUnit}; stop it with: ${context.program} daemon stop`);
      return;
    }
    const pid = await startDaemon({ ...defaultPlaces, command: findDaemon(context.env), args });
    printLine(
      context.out,
      `Started wharfd (pid ${pid}); log: ${defaultPlaces.logFile}; stop it with: ${context.program} daemon stop`,
    );
  },
});
