import { createServer, type Http2Server } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';

/** Serves gRPC on connections that were something else before. */
export interface GrpcServer extends AsyncDisposable {
  /** Becomes the HTTP/2 server of a raw connection, on which the client's preface comes next. */
  serve(socket: Duplex): void;
}

/** `routes` adds the services. */
export function createGrpcServer(routes: (router: ConnectRouter) => void): GrpcServer {
  // A build's status stream and its solving call stay open for hours; messages of transfers are up to 4 MiB.
  const server = createServer(
    { maxSessionMemory: 256, settings: { initialWindowSize: 1024 * 1024, maxConcurrentStreams: 1000 } },
    connectNodeAdapter({ routes, grpcWeb: false, connect: false, readMaxBytes: 64 * 1024 * 1024 }),
  );
  server.setTimeout(0);
  return new AdoptingServer(server);
}

class AdoptingServer implements GrpcServer {
  readonly #server: Http2Server;
  readonly #sockets = new Set<Duplex>();

  constructor(server: Http2Server) {
    this.#server = server;
    // Clients probe with connections that they drop at once.
    server.on('sessionError', () => undefined);
  }

  serve(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // The engine's connections may be half open, which nobody needs here: a client that has gone is gone.
    socket.once('end', () => socket.destroy());
    inOnePiece(socket);
    this.#server.emit('connection', socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.resolve();
  }
}

/** What has come already is made one chunk: Node does not expect that the first of several ends the session. */
function inOnePiece(socket: Duplex): void {
  const chunks: Buffer[] = [];
  for (let chunk = read(socket); chunk; chunk = read(socket)) chunks.push(chunk);
  if (chunks.length > 0) socket.unshift(Buffer.concat(chunks));
}

const read = (socket: Duplex): Buffer | null => socket.read() as Buffer | null;
