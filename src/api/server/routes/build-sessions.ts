import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { BuildKit } from '#build';
import { invalidArgument } from '#kernel';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

const answer = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';

/** Connections that become HTTP/2, on which BuildKit's clients call the engine, and the engine its clients. */
export function buildSessionRoutes(buildKit: BuildKit): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/grpc',
      operation: 'BuildGrpc',
      hijacks: true,
      handle: async (exchange) => {
        const socket = await upgrade(exchange);
        await buildKit.serve(socket);
        await ended(socket);
        return undefined;
      },
    },
    {
      method: 'POST',
      path: '/session',
      operation: 'Session',
      hijacks: true,
      handle: async (exchange) => {
        const introduction = introductionOf(exchange);
        if (introduction.id === '') throw invalidArgument('a session needs an id');
        const socket = await upgrade(exchange);
        try {
          await buildKit.openSession(introduction, socket);
        } catch {
          // The answer is on its way already: the other session goes on.
          socket.destroy();
        }
        await ended(socket);
        return undefined;
      },
    },
  ];
}

async function upgrade(exchange: Exchange): Promise<Duplex> {
  const protocol = exchange.header('upgrade');
  if (protocol === '' || !exchange.connection) throw invalidArgument('no upgrade proto in request');
  if (protocol !== 'h2c') throw invalidArgument(`protocol ${protocol} not supported`);
  const socket = await exchange.connection.take();
  socket.write(answer);
  return socket;
}

async function ended(socket: Duplex): Promise<void> {
  if (!socket.destroyed) await once(socket, 'close').catch(() => undefined);
}

function introductionOf(exchange: Exchange): Parameters<BuildKit['openSession']>[0] {
  const methods = exchange.request.headersDistinct['x-docker-expose-session-grpc-method'] ?? [];
  return {
    id: exchange.header('x-docker-expose-session-uuid'),
    name: exchange.header('x-docker-expose-session-name'),
    sharedKey: exchange.header('x-docker-expose-session-sharedkey'),
    methods: new Set(methods.map((method) => method.toLowerCase())),
  };
}
