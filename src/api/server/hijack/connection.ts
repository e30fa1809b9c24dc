import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Connection } from '../exchange.ts';

/** A connection whose client asked for an upgrade: Node has stopped parsing it behind the request's body. */
export function upgradedConnection(
  request: IncomingMessage,
  response: ServerResponse,
  socket: Duplex,
  head: Uint8Array,
): Connection {
  return {
    socket,
    upgrade: true,
    async take() {
      await bodyEnd(request);
      response.detachSocket(request.socket);
      if (head.length > 0) socket.unshift(head);
      return socket;
    },
  };
}

/** Connections that are being taken over without an upgrade. */
const plain = new WeakSet<Duplex>();

/**
 * A connection that becomes raw although nobody asked for an upgrade. Node parses on behind the request, so its
 * parser is removed at the end of the body; what it had read further by then comes back as a parse error
 * (see keepEarlyBytes). Only input that is the start of a request, sent together with this one, is lost.
 */
export function plainConnection(request: IncomingMessage, response: ServerResponse): Connection {
  const { socket } = request;
  plain.add(socket);
  // Without a parser no further request could come, should this one fail.
  response.shouldKeepAlive = false;
  request.once('end', () => {
    if (!response.headersSent) releaseParser(socket);
  });
  return {
    socket,
    upgrade: false,
    async take() {
      await bodyEnd(request);
      response.detachSocket(socket);
      Reflect.deleteProperty(socket, 'resume');
      return socket;
    },
  };
}

/**
 * For the server's clientError: whether the bytes that could not be parsed are the input of a connection that is
 * being taken over. They are put back for it then.
 */
export function keepEarlyBytes(
  error: Error & { rawPacket?: Buffer; bytesParsed?: number },
  socket: Duplex,
): boolean {
  if (!plain.has(socket)) return false;
  releaseParser(socket);
  const input = error.rawPacket?.subarray(startOfInput(error.rawPacket, error.bytesParsed ?? 0));
  // At once, while the end of the connection is not read yet.
  if (input && input.length > 0) socket.unshift(input);
  return true;
}

/**
 * For the server's clientError: a connection whose client speaks HTTP/2 from its first byte on, as gRPC's do (RFC 9113
 * 3.3). Calls `serve` with it as it was. False: it is something else.
 */
export function takeHttp2(
  error: Error & { code?: string; rawPacket?: Buffer },
  socket: Duplex,
  serve: (socket: Duplex) => void,
): boolean {
  if (error.code !== 'HPE_PAUSED_H2_UPGRADE' || !error.rawPacket) return false;
  releaseParser(socket);
  socket.unshift(Buffer.from(error.rawPacket));
  // The streams' own ticks come first: they would let the bytes flow to nobody.
  setImmediate(() => {
    Reflect.deleteProperty(socket, 'resume');
    serve(socket);
  });
  return true;
}

/** Input that looks like the start of a request was parsed on for a while: count from the request's own head. */
function startOfInput(packet: Buffer, parsed: number): number {
  const end = packet.indexOf('\r\n\r\n');
  if (end < 0 || end + 4 > parsed) return parsed;
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(packet.subarray(0, end).toString('latin1'))?.[1];
  return Math.min(parsed, end + 4 + Number(length ?? 0));
}

function releaseParser(socket: Duplex): void {
  for (const event of ['data', 'end', 'timeout', 'drain']) socket.removeAllListeners(event);
  // Makes Node hand bytes to the stream again instead of to the parser.
  socket.on('readable', ignore).off('readable', ignore);
  socket.pause();
  // A request resumes its connection whenever it is read itself; nobody would take these bytes yet.
  socket.resume = () => socket;
}

const ignore = (): void => undefined;

async function bodyEnd(request: IncomingMessage): Promise<void> {
  if (request.readableEnded) return;
  request.resume();
  await once(request, 'end');
}
