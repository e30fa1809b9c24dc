import { existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { ApiServer } from '#api/server';
import { invalidArgument, messageOf, type Logger } from '#kernel';
import type { Configuration, Host } from './configuration/configuration.ts';

const dockerSocket = '/var/run/docker.sock';

/** Opens every socket of the configuration. Throws what the server throws when one cannot be had. */
export async function openListeners(
  server: ApiServer,
  configuration: Configuration,
  logger: Logger,
): Promise<void> {
  const gid = groupOf(configuration.group);
  for (const host of configuration.hosts) await listen(server, host, configuration, gid, logger);
  if (!configuration.adoptDockerSocket) return;
  if (await isHeld(dockerSocket)) {
    logger.info({ socket: dockerSocket }, 'another engine holds the socket: left to it');
    return;
  }
  try {
    await server.listen({ path: dockerSocket, ...(gid !== undefined && { gid }) });
    logger.info({ socket: dockerSocket }, 'listening');
  } catch (error) {
    logger.warn({ socket: dockerSocket, error: messageOf(error) }, 'the socket of docker could not be taken');
  }
}

async function listen(
  server: ApiServer,
  host: Host,
  configuration: Configuration,
  gid: number | undefined,
  logger: Logger,
): Promise<void> {
  if (host.type === 'unix') {
    mkdirSync(dirname(host.path), { recursive: true, mode: 0o755 });
    await server.listen({ path: host.path, ...(gid !== undefined && { gid }) });
    logger.info({ socket: host.path }, 'listening');
    return;
  }
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

/** Whether somebody answers on a unix socket. A link or file that is no socket counts as held: it is not ours. */
async function isHeld(path: string): Promise<boolean> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return false;
  if (!stat.isSocket()) return true;
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
