import { rmSync, writeFileSync } from 'node:fs';
import { messageOf } from '#kernel';
import { defaultConfigFile, loadConfiguration, type Configuration } from './configuration/configuration.ts';
import { reduceMemoryWhenIdle } from './memory-reducer.ts';
import { parseFlags, usage, type ParsedFlags } from './configuration/parse-settings.ts';
import { createLogger, type DaemonLogger } from './logging.ts';
import { startEngine, type Engine } from './engine.ts';
import { serviceManager } from './service-manager.ts';
import { becomeSupervisor } from './supervise.ts';
import { wharfVersion } from './version.ts';

/** The program wharfd: flags, start, signals, orderly end. Resolves to the exit code. */
export async function runDaemon(args: readonly string[], program = 'wharfd'): Promise<number> {
  const supervises = args[0] === 'supervise';
  let configuration: Configuration;
  // Read again at each reload: the flags stay, the file may have changed.
  const load = (): Configuration => loadConfiguration(flags, program);
  let flags: ParsedFlags;
  try {
    flags = parseFlags(supervises ? args.slice(1) : args);
    if (flags.help) return print(usage(defaultConfigFile(program)));
    if (flags.version) return print(`Wharf version ${wharfVersion}\n`);
    configuration = load();
    if (flags.validate) return print('configuration OK\n');
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write('wharfd needs to run as root: mounts, namespaces and control groups are its work\n');
    return 1;
  }
  const logger = createLogger(configuration.logLevel, configuration.logFormat);
  if (supervises) return becomeSupervisor(configuration, logger);
  return serve(configuration, logger, load);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

async function serve(
  configuration: Configuration,
  logger: DaemonLogger,
  load: () => Configuration,
): Promise<number> {
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
    reduceMemoryWhenIdle();
    process.on('SIGHUP', () => {
      manager.reloading();
      reload(engine, logger, load);
      manager.ready();
    });
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

function reload(engine: Engine, logger: DaemonLogger, load: () => Configuration): void {
  try {
    const next = load();
    const waiting = engine.reload(next);
    logger.level = next.logLevel;
    logger.info({}, 'the configuration was reloaded');
    if (waiting.length > 0) logger.warn({ settings: waiting }, 'changed settings wait for the next start');
  } catch (error) {
    logger.error({ error: messageOf(error) }, 'the configuration stays as it was');
  }
}
