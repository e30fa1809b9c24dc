import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { jsonLinesLogger, systemClock } from '#kernel';
import { openLogSink, type LogSinkState } from '#logs';
import { runSupervisor } from '#runtime';

/** The daemon points stderr at a file. */
const logger = jsonLinesLogger(process.stderr);

const { values } = parseArgs({
  options: {
    'run-folder': { type: 'string' },
    socket: { type: 'string' },
    'oci-runtime': { type: 'string' },
    'oci-root': { type: 'string' },
    'resume-fd': { type: 'string' },
  },
});
const { 'run-folder': runFolder, socket: socketPath, 'oci-runtime': binary, 'oci-root': ociRoot } = values;
if (!runFolder || !socketPath || !binary || !ociRoot) {
  process.stderr.write('wharf-supervisor needs --run-folder, --socket, --oci-runtime and --oci-root\n');
  process.exit(2);
}
// Containers depend on this process: an error in one's affairs must not end it for all.
process.on('uncaughtException', (error) => logger.error({ error: error.stack }, 'uncaught exception'));
process.on('unhandledRejection', (error) => logger.error({ error: String(error) }, 'unhandled rejection'));
process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);
const path = process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
runSupervisor({
  runFolder,
  socketPath,
  binary,
  ociRoot,
  env: [`PATH=${path}`],
  concurrency: Math.max(2, availableParallelism()),
  clock: systemClock,
  logger,
  resumeFd: values['resume-fd'] === undefined ? undefined : Number(values['resume-fd']),
  openLog: (config, state) =>
    openLogSink(config, {
      // What save() of such a sink gave, in this program or the one before it.
      ...(state === undefined ? {} : { state: state as LogSinkState }),
      onError: (error) => logger.error({ path: config.path, error: String(error) }, 'log cannot be written'),
    }),
  exit: (code) => process.exit(code),
}).catch((error: unknown) => {
  logger.error({ error: String(error) }, 'supervisor cannot start');
  process.exit(1);
});
