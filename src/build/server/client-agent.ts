import type { Duplex } from 'node:stream';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { sshforward, type GrpcStream } from '#buildkit';
import type { ClientAgent } from '../solver/ports.ts';
import type { ClientSession } from './client-session.ts';

const service = '/moby.sshforward.v1.SSH';

/** The agent that a client forwards under an id; undefined where it has none. */
export async function findClientAgent(
  session: ClientSession,
  id: string,
  signal: AbortSignal,
): Promise<ClientAgent | undefined> {
  if (!session.offers(`${service}/CheckAgent`)) return undefined;
  try {
    await session.client(sshforward.SSH).checkAgent({ ID: id }, { signal });
  } catch {
    // Clients say in a sentence that they have none of that name.
    signal.throwIfAborted();
    return undefined;
  }
  return {
    connect: (socket) => {
      const stream = session.openStream(`${service}/ForwardAgent`, { 'buildkit.ssh.id': id });
      socket.once('close', () => stream.cancel());
      void Promise.allSettled([sendTo(stream, socket), receiveFrom(stream, socket)]);
    },
  };
}

async function sendTo(stream: GrpcStream, socket: Duplex): Promise<void> {
  for await (const data of socket as AsyncIterable<Uint8Array>) {
    await stream.send(
      toBinary(sshforward.BytesMessageSchema, create(sshforward.BytesMessageSchema, { data })),
    );
  }
  stream.end();
}

/** The command has hung up by then, or the client has: either way there is nobody to tell. */
async function receiveFrom(stream: GrpcStream, socket: Duplex): Promise<void> {
  try {
    for await (const message of stream.messages()) {
      socket.write(fromBinary(sshforward.BytesMessageSchema, message).data);
    }
    socket.end();
  } catch {
    socket.destroy();
  }
}
