import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import type { Connection, Dial } from './connection.ts';
import { Inbox } from './connection.ts';
import type { SocketEndpoint } from './endpoint.ts';

/** Connects through node:net and node:tls; for Node and, with TLS, for Bun. */
export const dialNode: Dial = async (endpoint) => {
  const socket = await open(endpoint);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once(endpoint.kind === 'tcp' && endpoint.tls ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return wrap(socket);
};

async function open(endpoint: SocketEndpoint): Promise<Socket> {
  if (endpoint.kind === 'unix') return connectPlain({ path: endpoint.path, allowHalfOpen: true });
  const { host, port, tls } = endpoint;
  if (!tls) return connectPlain({ host, port, allowHalfOpen: true });
  const { connect } = await import('node:tls');
  const { ca, cert, key, verify } = tls;
  return connect({
    host,
    port,
    rejectUnauthorized: verify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
  });
}

function wrap(socket: Socket): Connection {
  const inbox = new Inbox(socket);
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => inbox.push(chunk));
  socket.on('end', () => inbox.end());
  socket.on('error', (error) => inbox.fail(error));
  socket.on('close', () => inbox.end());
  return {
    read: () => inbox.read(),
    write: async (bytes) => {
      if (socket.write(bytes) || socket.destroyed) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          socket.off('drain', done);
          socket.off('close', done);
          resolve();
        };
        socket.on('drain', done);
        socket.on('close', done);
      });
    },
    closeWrite: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}
