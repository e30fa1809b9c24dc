import { createSocket } from 'node:dgram';
import { Socket } from 'node:net';
import { openListener, openStreamSocket } from '#linux';

/** A DNS server to ask, and where from. */
export interface Upstream {
  readonly address: string;
  /** Makes the socket in the namespace that the question comes from; undefined: the host's. */
  readonly enter?: <T>(body: () => T extends PromiseLike<unknown> ? never : T) => T;
}

/** Milliseconds a server has to answer; a client's own patience is five seconds. */
const patience = 2500;

/**
 * Passes a query on and returns the answer's bytes as they are, from the first server that gives one. Undefined if none
 * does. Each question has a socket, and so a random port, of its own.
 */
export async function askUpstream(
  query: Buffer,
  servers: readonly Upstream[],
  transport: 'udp' | 'tcp',
): Promise<Buffer | undefined> {
  for (const server of servers) {
    try {
      return await (transport === 'udp' ? askDatagram(query, server) : askStream(query, server));
    } catch {
      // The next server may know.
    }
  }
  return undefined;
}

async function askDatagram(query: Buffer, server: Upstream): Promise<Buffer> {
  const type = server.address.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket(type);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const timer = setTimeout(() => reject(new Error(`${server.address} does not answer`)), patience);
  try {
    socket.on('error', reject);
    // Connected, the socket takes packets of that server only, and hears when its port is closed.
    socket.on('message', (data) => {
      if (data.length >= 12 && data.readUInt16BE() === query.readUInt16BE()) resolve(data);
    });
    if (server.enter) {
      const any = type === 'udp6' ? '::' : '0.0.0.0';
      const { fd } = server.enter(() => openListener('udp', any, 0));
      socket.bind({ fd });
    }
    socket.connect(53, server.address, () => {
      socket.send(query);
    });
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

async function askStream(query: Buffer, server: Upstream): Promise<Buffer> {
  const family = server.address.includes(':') ? 6 : 4;
  const fd = server.enter?.(() => openStreamSocket(family));
  const socket = new Socket(fd === undefined ? {} : { fd });
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const timer = setTimeout(() => reject(new Error(`${server.address} does not answer`)), patience);
  try {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${server.address} hung up`)));
    socket.on('data', streamMessages(resolve));
    socket.connect({ host: server.address, port: 53 });
    socket.write(frame(query));
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** A message as it goes over TCP: two bytes of length before it (RFC 1035, 4.2.2). */
export function frame(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Cuts a TCP stream into messages. */
export function streamMessages(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const end = 2 + pending.readUInt16BE();
      if (pending.length < end) return;
      onMessage(pending.subarray(2, end));
      pending = pending.subarray(end);
    }
  };
}
