import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { Code, ConnectError } from '@connectrpc/connect';
import { sshforward } from '#buildkit';
import { bytesMessage, bytesOfMessage } from './bytes-message.ts';
import type { IncomingCall } from './incoming-call.ts';
import { unary, type SessionService } from './session-service.ts';

/** Lets builds speak to agents, by the agents' ids; each call is a connection of its own. */
export function ssh(sockets: ReadonlyMap<string, string>): SessionService {
  if (sockets.size === 0) return {};
  const socketOf = (id: string): string => {
    const socket = sockets.get(id === '' ? 'default' : id);
    if (socket === undefined) throw new ConnectError(`unset ssh forward key ${id}`, Code.NotFound);
    return socket;
  };
  return {
    ...unary(sshforward.SSH.method.checkAgent, ({ ID }) => {
      socketOf(ID);
      return {};
    }),
    '/moby.sshforward.v1.SSH/ForwardAgent': async (call) => {
      const socket = connect(socketOf(call.value('buildkit.ssh.id') ?? ''));
      await once(socket, 'connect');
      try {
        await Promise.race([toAgent(call, socket), fromAgent(call, socket)]);
      } finally {
        socket.destroy();
      }
    },
  };
}

/** The client of the agent may say that it is done and still wait for an answer. */
async function toAgent(call: IncomingCall, socket: Socket): Promise<void> {
  for await (const message of call.messages()) socket.write(bytesOfMessage(message));
  socket.end();
  await once(socket, 'close');
}

async function fromAgent(call: IncomingCall, socket: Socket): Promise<void> {
  for await (const data of socket as AsyncIterable<Uint8Array>) await call.send(bytesMessage(data));
}
