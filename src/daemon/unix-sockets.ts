import { closeSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { ApiServer } from '#api/server';
import { conflict, errnoOf, messageOf, type Logger } from '#kernel';
import { openUnixListener } from '#linux';
import type { ListenerKeeper } from '#runtime';

const socketMode = 0o660;

/** The unix sockets of the API. Disposing it gives up those of the daemon before that nobody asked for. */
export interface UnixSockets extends AsyncDisposable {
  /** Whether the daemon before listened there, and the socket is still the same. */
  has(path: string): boolean;
  /** Serves there: on the socket of the daemon before, else on a new one. Throws conflict when another process does. */
  open(path: string): Promise<void>;
}

/**
 * A socket that was mounted into a container is reached by its inode only. So each is handed to the supervisor, and the
 * next daemon gets it back.
 */
export async function takeSockets(
  server: ApiServer,
  keeper: ListenerKeeper,
  gid: number | undefined,
  logger: Logger,
): Promise<UnixSockets> {
  const kept = new Map<string, number>();
  try {
    for (const { path, fd } of await keeper.keptListeners()) kept.set(path, fd);
  } catch (error) {
    logger.warn({ error: messageOf(error) }, 'the sockets of the daemon before are lost');
  }
  const create = async (path: string): Promise<number> => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    await clearPlace(path);
    return openUnixListener(path, { mode: socketMode, ...(gid !== undefined && { gid }) });
  };
  const keep = async (path: string, fd: number): Promise<void> => {
    await keeper.keepListener(path, fd).catch((error: unknown) => {
      logger.warn({ socket: path, error: messageOf(error) }, 'the socket will not outlive this daemon');
    });
  };
  return {
    has: (path) => kept.has(path),
    async open(path) {
      const before = kept.get(path);
      kept.delete(path);
      const fd = before ?? (await create(path));
      await keep(path, fd);
      await server.listen({ path, fd });
      logger.info({ socket: path, ...(before !== undefined && { takenOver: true }) }, 'listening');
    },
    async [Symbol.asyncDispose]() {
      for (const [path, fd] of kept) {
        closeSync(fd);
        await keeper.dropListener(path);
      }
    },
  };
}

/** Removes a socket that nobody listens on. Throws conflict for anything else. */
async function clearPlace(path: string): Promise<void> {
  if (await isHeld(path)) throw conflict(`cannot listen on ${path}: another process does`);
  rmSync(path, { force: true });
}

/** Whether somebody answers on a unix socket. A link or file that is no socket counts as held: it is not ours. */
export async function isHeld(path: string): Promise<boolean> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return false;
  if (!stat.isSocket()) return true;
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      resolve(errnoOf(error) === 'EAGAIN');
    });
  });
}
