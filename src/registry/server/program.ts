import { messageOf, systemClock, type Logger } from '#kernel';
import { HousekeepingRounds } from './administration/housekeeping.ts';
import { serveAdministration } from './administration/admin-server.ts';
import { parseSettings, readReloadable, type Address, type Settings } from './configuration/settings.ts';
import { registryLogger } from './observation/access-log.ts';
import { serveMetrics } from './observation/metrics-server.ts';
import { createRegistryServer, type RegistryServer } from './registry-server.ts';

/** Serves until SIGINT or SIGTERM. Resolves to the exit code. */
export async function runRegistry(argv: readonly string[]): Promise<number> {
  let settings: Settings;
  try {
    settings = parseSettings(argv);
  } catch (error) {
    process.stderr.write(`wharf registry: ${messageOf(error)}\n`);
    return 125;
  }
  const logger = registryLogger(settings.logLevel);
  try {
    await serve(argv, settings, logger);
    return 0;
  } catch (error) {
    process.stderr.write(`wharf registry: ${messageOf(error)}\n`);
    return 1;
  }
}

async function serve(argv: readonly string[], settings: Settings, logger: Logger): Promise<void> {
  const { root, reloadable, address, metricsAddress } = settings;
  const stopped = Promise.withResolvers<undefined>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve(undefined));
  await using server = await createRegistryServer({
    ...settings,
    ...reloadable.policies,
    tls: reloadable.tls,
    clock: systemClock,
    logger,
    processMetrics: true,
  });
  await using rounds = new HousekeepingRounds(server, settings, logger);
  await using _admin = await serveAdministration(root, {
    server,
    rounds,
    reload: () => reload(argv, server, logger),
  });
  await using _metrics = metricsAddress && (await serveMetrics(server, metricsAddress));
  const port = await server.listen(address);
  process.stderr.write(`The registry ${root} is served on ${addressOf(settings, { ...address, port })}\n`);
  // A file that cannot be read leaves the rules as they are.
  const hangup = (): void =>
    void reload(argv, server, logger).catch((error: unknown) =>
      logger.error({ error: messageOf(error) }, 'rules not read again'),
    );
  process.on('SIGHUP', hangup);
  await stopped.promise;
  process.off('SIGHUP', hangup);
}

async function reload(argv: readonly string[], server: RegistryServer, logger: Logger): Promise<void> {
  const { policies, tls } = readReloadable(argv);
  await server.reconfigure(policies, tls);
  logger.info({}, 'rules read again');
}

const addressOf = ({ reloadable }: Settings, { host, port }: Address): string =>
  `${reloadable.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
