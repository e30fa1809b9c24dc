import { closeSync, constants, openSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import type { ClientAgent } from '../solver/ports.ts';

/** Who may use a socket. */
export interface SocketOwner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Listens for an agent of the client at a path that nobody has, until it is disposed; conversations that go on then are
 * torn down.
 */
export async function openAgentSocket(
  agent: ClientAgent,
  path: string,
  { mode, uid, gid }: SocketOwner,
): Promise<AsyncDisposable> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => open.delete(socket));
    agent.connect(socket);
  });
  // By way of its folder: an address of a socket has at most 107 bytes.
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    server.listen(`/proc/self/fd/${folder}/${basename(path)}`);
    await once(server, 'listening');
    await chown(path, uid, gid);
    await chmod(path, mode);
  } catch (error) {
    server.close();
    closeSync(folder);
    throw error;
  }
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
      closeSync(folder);
    },
  };
}
