import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '#kernel';
import { UnixDatagramSocket } from '#linux';
import { hostPort } from './addresses.ts';
import { dialError } from './connection.ts';
import type { DriverEvents } from './driver.ts';

const FULL_MS = 2;

/** Where single datagrams go. */
export interface DatagramTarget {
  /** Resolves when the kernel has it. A datagram that is too large is dropped, and said so. */
  send(data: Buffer): Promise<void>;
  close(): void;
}

/** UDP has no connection: only a name that cannot be resolved is an error. */
export async function openUdp(host: string, port: number, events: DriverEvents): Promise<DatagramTarget> {
  let address: string;
  let family: number;
  try {
    ({ address, family } = await lookup(host));
  } catch (error) {
    throw dialError('udp', hostPort(host, port), error);
  }
  const socket: Socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  socket.on('error', () => undefined);
  socket.unref();
  return {
    async send(data) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      socket.send(data, port, address, (error) => {
        // As with any loss of UDP nobody will know; what can be known is a datagram that never left.
        if (error) events.dropped(error.message);
        resolve(undefined);
      });
      await promise;
    },
    close: () => {
      socket.close();
    },
  };
}

/** Throws `dial unix /x: connect: …`. */
export function openUnixDatagrams(path: string, events: DriverEvents): DatagramTarget {
  let socket: UnixDatagramSocket;
  try {
    socket = new UnixDatagramSocket(path);
  } catch (error) {
    throw dialError('unix', path, error);
  }
  return {
    async send(data) {
      try {
        while (!socket.send(data)) await delay(FULL_MS);
      } catch (error) {
        if (errnoOf(error) !== 'EMSGSIZE') throw error;
        events.dropped('message too long');
      }
    },
    close: () => {
      socket[Symbol.dispose]();
    },
  };
}
