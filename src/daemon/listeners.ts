import { existsSync, readFileSync } from 'node:fs';
import type { ApiServer } from '#api/server';
import { invalidArgument, messageOf, unavailable, type Logger } from '#kernel';
import type { ListenerKeeper } from '#runtime';
import type { Configuration, Host } from './configuration/configuration.ts';
import { receivedDescriptors } from './service-manager.ts';
import { isHeld, takeSockets } from './unix-sockets.ts';

const dockerSocket = '/var/run/docker.sock';

/**
 * Opens every socket of the configuration; unix sockets of the daemon before are taken over. Throws what the server
 * throws when one cannot be had.
 */
export async function openListeners(
  server: ApiServer,
  keeper: ListenerKeeper,
  configuration: Configuration,
  logger: Logger,
): Promise<void> {
  const gid = groupOf(configuration.group);
  await using sockets = await takeSockets(server, keeper, gid, logger);
  for (const host of configuration.hosts) {
    if (host.type === 'tcp') await listen(server, host, configuration, logger);
    else if (host.type === 'unix') await sockets.open(host.path);
    else await listenOnReceived(server, logger);
  }
  if (!configuration.adoptDockerSocket) return;
  if (!sockets.has(dockerSocket) && (await isHeld(dockerSocket))) {
    logger.info({ socket: dockerSocket }, 'another engine holds the socket: left to it');
    return;
  }
  try {
    await sockets.open(dockerSocket);
  } catch (error) {
    logger.warn({ socket: dockerSocket, error: messageOf(error) }, 'the socket of docker could not be taken');
  }
}

async function listenOnReceived(server: ApiServer, logger: Logger): Promise<void> {
  const received = receivedDescriptors();
  if (received.length === 0) {
    throw unavailable(
      'no sockets found via socket activation: make sure the service was started by systemd, or use -H unix://PATH',
    );
  }
  for (const fd of received) {
    await server.listen({ fd, path: `fd://${fd}` });
    logger.info({ fd }, 'listening on a socket of the service manager');
  }
}

async function listen(
  server: ApiServer,
  host: Extract<Host, { type: 'tcp' }>,
  configuration: Configuration,
  logger: Logger,
): Promise<void> {
  const { tls } = configuration;
  if (!tls && !isLoopback(host.address)) {
    throw invalidArgument(
      `refusing to listen on tcp://${host.address}:${host.port} without TLS, since whoever reaches it is root here: use --tlsverify, or a loopback address`,
    );
  }
  const address = await server.listen({
    host: host.address,
    port: host.port,
    ...(tls && {
      tls: {
        key: readFileSync(tls.key, 'utf8'),
        cert: readFileSync(tls.cert, 'utf8'),
        ...(tls.verify && { ca: readFileSync(tls.ca, 'utf8') }),
      },
    }),
  });
  logger.info({ ...address, tls: tls !== undefined }, 'listening');
}

const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || /^127\./.test(address);

/** The group that may use the sockets: as configured, else `wharf` or `docker` if there is one. */
function groupOf(configured: string | undefined): number | undefined {
  const groups = existsSync('/etc/group') ? readFileSync('/etc/group', 'utf8').split('\n') : [];
  const find = (name: string): number | undefined => {
    const fields = groups.map((line) => line.split(':')).find(([known]) => known === name);
    return fields === undefined ? undefined : Number(fields[2]);
  };
  if (configured === undefined) return find('wharf') ?? find('docker');
  if (/^\d+$/.test(configured)) return Number(configured);
  const gid = find(configured);
  if (gid === undefined)
    throw invalidArgument(`the group ${configured} does not exist: create it, or leave --group out`);
  return gid;
}
