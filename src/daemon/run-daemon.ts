import { rmSync, writeFileSync } from 'node:fs';
import { messageOf } from '#kernel';
import { loadConfiguration, type Configuration } from './configuration/configuration.ts';
import { parseFlags, usage } from './configuration/parse-settings.ts';
import { createLogger } from './logging.ts';
import { startEngine } from './engine.ts';
import { serviceManager } from './service-manager.ts';
import { wharfVersion } from './version.ts';

/** The program wharfd: flags, start, signals, orderly end. Resolves to the exit code. */
export async function runDaemon(args: readonly string[]): Promise<number> {
  let configuration: Configuration;
  try {
    const flags = parseFlags(args);
    if (flags.help) return print(usage());
    if (flags.version) return print(`Wharf version ${wharfVersion}\n`);
    configuration = loadConfiguration(flags);
    if (flags.validate) return print('configuration OK\n');
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write('wharfd needs to run as root: mounts, namespaces and control groups are its work\n');
    return 1;
  }
  return serve(configuration);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

async function serve(configuration: Configuration): Promise<number> {
  const logger = createLogger(configuration.logLevel, configuration.logFormat);
  const manager = serviceManager(process.env, logger);
  const ended = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ended.resolve(signal));
  process.on('SIGHUP', () => undefined);
  process.on('SIGPIPE', () => undefined);
  process.on('unhandledRejection', (reason) => {
    logger.error(
      { error: messageOf(reason), stack: reason instanceof Error ? reason.stack : undefined },
      'an error was not handled',
    );
  });
  try {
    await using engine = await startEngine(configuration, logger);
    if (configuration.pidfile !== undefined) writeFileSync(configuration.pidfile, `${process.pid}\n`);
    logger.info({ pid: process.pid, version: engine.version }, 'the engine is ready');
    manager.ready();
    process.on('SIGUSR2', () => {
      engine.upgradeSupervisor().then(
        () => logger.info({}, 'the supervisor was upgraded in place'),
        (error: unknown) => logger.error({ error: messageOf(error) }, 'the supervisor was not upgraded'),
      );
    });
    const signal = await ended.promise;
    manager.stopping();
    logger.info({ signal }, 'stopping');
    await engine.stop();
  } catch (error) {
    logger.error(
      { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined },
      'the engine failed',
    );
    return 1;
  } finally {
    if (configuration.pidfile !== undefined) rmSync(configuration.pidfile, { force: true });
  }
  return 0;
}
