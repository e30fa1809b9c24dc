import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { createServer as createSocketServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { framed, MessageBuffer, decodePacket, encodePacket, type FileStat, goModeOf } from '#filesync';

/** Two ends of one connection, through a socket at `path`. */
export async function socketPair(path: string): Promise<[Socket, Socket]> {
  const server = createSocketServer().listen(path);
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect(path);
  const [far] = await accepted;
  server.close();
  return [near, far];
}

/** What a build client serves in its session: the files of a folder (fsutil's sender). */
export class FileSender {
  readonly #server: Http2Server;
  readonly #root: string;
  /** Headers of each transfer asked for. */
  readonly asked: Record<string, unknown>[] = [];
  /** Paths whose contents were sent. */
  readonly sent: string[] = [];

  constructor(root: string) {
    this.#root = root;
    this.#server = createServer();
    this.#server.on('stream', (stream, headers) => {
      this.asked.push(headers);
      void this.#serve(stream as ServerHttp2Stream); // the same in both typings
    });
  }

  serve(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  async #serve(stream: ServerHttp2Stream): Promise<void> {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const send = (packet: Parameters<typeof encodePacket>[0]): void => {
      stream.write(framed(encodePacket(packet)));
    };
    const paths: string[] = [];
    for await (const stat of walk(this.#root, '')) {
      paths.push(stat.path);
      send({ type: 'stat', stat });
    }
    send({ type: 'stat', stat: undefined });
    const buffer = new MessageBuffer();
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      buffer.push(chunk);
      for (let message = buffer.next(); message; message = buffer.next()) {
        const packet = decodePacket(message);
        if (packet.type === 'end') {
          send({ type: 'end' });
          stream.end();
        }
        if (packet.type !== 'request') continue;
        const path = paths[packet.id] ?? '';
        this.sent.push(path);
        const data = await readFile(join(this.#root, path));
        for (let at = 0; at < data.length; at += 32768) {
          send({ type: 'data', id: packet.id, data: data.subarray(at, at + 32768) });
        }
        send({ type: 'data', id: packet.id, data: new Uint8Array() });
      }
    }
  }
}

async function* walk(root: string, folder: string): AsyncGenerator<FileStat> {
  for (const name of (await readdir(join(root, folder))).sort()) {
    const path = folder === '' ? name : `${folder}/${name}`;
    const stat = await lstat(join(root, path), { bigint: true });
    const type = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'file';
    yield {
      path,
      mode: goModeOf(type, Number(stat.mode) & 0o7777),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size: Number(stat.size),
      modTime: stat.mtimeNs,
      linkname: type === 'symlink' ? await readlink(join(root, path)) : '',
      devmajor: 0,
      devminor: 0,
      xattrs: new Map(),
    };
    if (type === 'directory') yield* walk(root, path);
  }
}
