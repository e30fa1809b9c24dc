import { finished, type Duplex } from 'node:stream';
import { messageOf } from '#kernel';
import type { Exchange } from '../exchange.ts';
import { streamContentType } from '../versions/index.ts';
import { frame } from '../views/log-frames.ts';
import { DetachKeyFilter } from './detach-keys.ts';

export interface RawStreamOptions {
  readonly tty: boolean;
  /** Whether the client's bytes go to the process. */
  readonly stdin: boolean;
  /** Input that detaches; only looked for on a tty. */
  readonly detachKeys: Uint8Array;
  /** What is sent before the live stream, such as the log so far. */
  readonly prelude?: AsyncIterable<Uint8Array>;
}

/**
 * Takes the connection over and joins it with `open()`'s streams (Docker's frames, or bytes of a tty): the client's
 * end of sending is the end of stdin and nothing more; the end of output ends the connection. Resolves when both
 * are done. An error of `open()` before the connection is taken is thrown.
 */
export async function serveRawStream(
  exchange: Exchange,
  streams: Duplex | undefined,
  options: RawStreamOptions,
): Promise<void> {
  const { connection } = exchange;
  if (!connection) throw new TypeError('the route does not hijack');
  const socket = await connection.take();
  socket.on('error', () => socket.destroy());
  const type = streamContentType(exchange.version, options.tty);
  socket.write(
    connection.upgrade
      ? `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`
      : 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n',
  );
  try {
    if (options.prelude) await send(socket, options.prelude);
    if (streams) await join(socket, streams, options);
  } catch (error) {
    const text = Buffer.from(`${messageOf(error)}\n`);
    if (socket.writable) socket.write(options.tty ? text : frame('error', text));
  } finally {
    streams?.destroy();
    socket.end();
    // Nothing the client still says matters; reading it lets the connection end in order.
    socket.resume();
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

async function join(socket: Duplex, streams: Duplex, options: RawStreamOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let detached = false;
    const leave = (): void => {
      detached = true;
      streams.destroy();
      resolve();
    };
    socket.once('close', leave);
    if (socket.destroyed) leave();
    finished(streams, { writable: false }, (error) => {
      if (error && !socket.destroyed && !detached) reject(error);
      else resolve();
    });
    streams.pipe(socket, { end: false });
    if (!options.stdin) {
      socket.resume();
      return;
    }
    if (socket.readableEnded) {
      streams.end();
      return;
    }
    if (!options.tty) {
      socket.pipe(streams);
      return;
    }
    const filter = new DetachKeyFilter(options.detachKeys, leave);
    socket.pipe(filter).pipe(streams);
  });
}
