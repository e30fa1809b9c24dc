import type { ContainerCreateRequest } from '#api/types';
import type { Endpoint } from '#client';
import { findAuth } from '../../config/credentials.ts';
import type { Context } from '../../context.ts';

const inside = '/var/run/docker.sock';
const configFolder = '/run/secrets/docker';

/** --use-api-socket: the engine's socket goes into the container, and with credentials the way to them. */
export function withApiSocket(body: ContainerCreateRequest, context: Context): ContainerCreateRequest {
  const mount = { Type: 'bind', Source: socketOf(context.engine.endpoint), Target: inside } as const;
  const env = [...(body.Env ?? []), `DOCKER_CONFIG=${configFolder}`];
  return {
    ...body,
    Env: hasCredentials(context) ? env : (body.Env ?? null),
    HostConfig: { ...body.HostConfig, Mounts: [...(body.HostConfig?.Mounts ?? []), mount] },
  };
}

/** The socket as the engine's host knows it. */
const socketOf = (endpoint: Endpoint): string =>
  endpoint.kind === 'unix' && endpoint.path.includes('wharf') ? endpoint.path : inside;

const hasCredentials = ({ config }: Context): boolean => Object.keys(config.data.auths ?? {}).length > 0;

/** Copies the stored credentials, as plain text, into a container that was created with the socket. */
export async function copyCredentials(context: Context, container: string): Promise<void> {
  if (!hasCredentials(context)) return;
  const auths: Record<string, object> = {};
  for (const server of Object.keys(context.config.data.auths ?? {})) {
    const found = findAuth(context.config, server);
    if (!found) continue;
    const { username = '', password = '', identitytoken } = found;
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    auths[server] = { auth, ...(identitytoken !== undefined && { identitytoken }) };
  }
  const { tarHeader, writeTar } = await import('#archive');
  const content = Buffer.from(JSON.stringify({ auths }));
  const folders = configFolder
    .split('/')
    .slice(1)
    .map((_, at, parts) => ({
      header: tarHeader({ name: `${parts.slice(0, at + 1).join('/')}/`, type: 'folder', mode: 0o755 }),
    }));
  const file = tarHeader({ name: `${configFolder.slice(1)}/config.json`, size: content.length, mode: 0o600 });
  await context.engine.done({
    method: 'PUT',
    path: `/containers/${container}/archive`,
    query: { path: '/' },
    stream: writeTar([...folders, { header: file, content }]),
    contentType: 'application/x-tar',
  });
}
