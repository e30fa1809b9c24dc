import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { finished, Transform, type Duplex } from 'node:stream';
import { invalidArgument, messageOf } from '#kernel';
import { isHungUp } from '#linux';
import type { Connection, Exchange } from '../exchange.ts';
import { statusOf } from '../status.ts';
import { streamContentType, webSocketFrameKind } from '../versions/index.ts';
import { frame } from '../views/log-frames.ts';
import { DetachKeyFilter } from './detach-keys.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { acceptWebSocket, WebSocketStream } from './websocket.ts';

const hangUpMs = 1000;

const rawStreamType = 'application/vnd.docker.raw-stream';

export interface RawStreamOptions {
  /** Whether `streams` are of a terminal: bytes as they are, not Docker's frames. */
  readonly tty: boolean;
  /** Whether the client reads a terminal's bytes; default: as `tty`. */
  readonly clientTty?: boolean;
  /** Whether the client's bytes go to the process. */
  readonly stdin: boolean;
  /** Input that detaches; only looked for on a tty. */
  readonly detachKeys: Uint8Array;
  /** The client has typed them. */
  detached?(): void;
  /** What is sent before the live stream, such as the log so far. */
  readonly prelude?: AsyncIterable<Uint8Array>;
}

/**
 * Takes the connection over and joins it with `streams` (Docker's frames, or bytes of a tty): the client's end of
 * sending is the end of stdin and nothing more; the end of output ends the connection. Resolves when both are done.
 */
export async function serveRawStream(
  exchange: Exchange,
  streams: Duplex | undefined,
  options: RawStreamOptions,
): Promise<void> {
  await joinRawStream(await acceptRawStream(exchange, options), streams, options);
}

/**
 * Takes the connection over and answers the head. Clients read the head through a buffer that they then leave
 * (python3-docker): output that came with it would be lost, so what starts a process answers before it does.
 */
export async function acceptRawStream(
  exchange: Exchange,
  { tty, clientTty = tty }: RawStreamOptions,
  headers: readonly (readonly [name: string, value: string])[] = [],
): Promise<Duplex> {
  const connection = connectionOf(exchange);
  const socket = await takeSocket(connection);
  const head = connection.upgrade
    ? `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${streamContentType(exchange.version, clientTty)}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n`
    : `HTTP/1.1 200 OK\r\nContent-Type: ${rawStreamType}\r\n`;
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${head}${fields.join('')}\r\n`);
  return socket;
}

/** Tells on the bare connection, as Docker does, why it is not attached to anything. */
export async function refuseRawStream(exchange: Exchange, error: unknown): Promise<void> {
  const socket = await takeSocket(connectionOf(exchange));
  const status = statusOf(error);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${rawStreamType}\r\n\r\n`;
  socket.end(`${head}${messageOf(error)}\r\n`);
  socket.resume();
}

/** Joins a connection of acceptRawStream() with `streams`; see serveRawStream(). */
export async function joinRawStream(
  client: Duplex,
  streams: Duplex | undefined,
  options: RawStreamOptions,
): Promise<void> {
  const { tty, clientTty = tty } = options;
  await serve(
    client,
    streams,
    options,
    tty === clientTty ? undefined : clientTty ? new FrameDecoder() : framed(),
  );
}

/** Puts a terminal's bytes into frames of stdout. */
const framed = (): Transform =>
  new Transform({ transform: (chunk: Uint8Array, _encoding, done) => done(null, frame('stdout', chunk)) });

/** The same over a WebSocket, whose binary messages carry bytes without Docker's frames. */
export async function serveWebSocket(
  exchange: Exchange,
  streams: Duplex | undefined,
  options: RawStreamOptions,
): Promise<void> {
  const head = acceptWebSocket(exchange.request);
  const socket = await takeSocket(connectionOf(exchange));
  socket.write(head);
  const client = new WebSocketStream(socket, webSocketFrameKind(exchange.version));
  client.on('error', () => client.destroy());
  await serve(client, streams, options, options.tty ? undefined : new FrameDecoder());
}

function connectionOf(exchange: Exchange): Connection {
  if (!exchange.connection) throw invalidArgument('not websocket protocol');
  return exchange.connection;
}

async function takeSocket(connection: Connection): Promise<Duplex> {
  const socket = await connection.take();
  socket.on('error', () => socket.destroy());
  return socket;
}

/** `decoder` changes what goes to the client. */
async function serve(
  client: Duplex,
  streams: Duplex | undefined,
  options: RawStreamOptions,
  decoder?: Transform,
): Promise<void> {
  decoder?.pipe(client, { end: false });
  try {
    if (options.prelude) await send(decoder ?? client, options.prelude);
    if (streams) await join(client, streams, options, decoder);
    else if (decoder) await once(decoder.end(), 'end');
  } catch (error) {
    const text = Buffer.from(`${messageOf(error)}\n`);
    if (client.writable) client.write(options.tty || decoder ? text : frame('error', text));
  } finally {
    streams?.destroy();
    client.end();
    // Nothing the client still says matters; reading it lets the connection end in order.
    client.resume();
  }
}

/** Writes chunk by chunk, no faster than the client reads. */
async function send(target: Duplex, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    if (target.destroyed) return;
    if (!target.write(chunk)) await drained(target);
  }
}

/** Resolves when the stream takes more, or never will. */
export async function drained(stream: NodeJS.WritableStream & { destroyed?: boolean }): Promise<void> {
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      stream.off('drain', settle).off('close', settle).off('error', settle);
      resolve();
    };
    stream.once('drain', settle).once('close', settle).once('error', settle);
    if (stream.destroyed) settle();
  });
}

async function join(
  client: Duplex,
  streams: Duplex,
  options: RawStreamOptions,
  decoder: Transform | undefined,
): Promise<void> {
  // One that has ended its sending and then goes away is not reported.
  using _watch = setInterval(() => {
    if (isHungUp(client)) client.destroy();
  }, hangUpMs);
  await new Promise<void>((resolve, reject) => {
    let left = false;
    const leave = (): void => {
      left = true;
      streams.destroy();
      resolve();
    };
    client.once('close', leave);
    if (client.destroyed) leave();
    finished(streams, { writable: false }, (error) => {
      if (error && !client.destroyed && !left) reject(error);
      else if (!decoder) resolve();
    });
    decoder?.once('end', resolve);
    streams.pipe(decoder ?? client, { end: decoder !== undefined });
    if (!options.stdin) client.resume();
    else if (client.readableEnded) streams.end();
    else if (options.tty) {
      const detach = (): void => {
        options.detached?.();
        leave();
      };
      client.pipe(new DetachKeyFilter(options.detachKeys, detach)).pipe(streams);
    } else client.pipe(streams);
  });
}
