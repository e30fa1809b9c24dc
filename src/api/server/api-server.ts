import { chmodSync, chownSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type ListenOptions as NetListenOptions } from 'node:net';
import type { Duplex } from 'node:stream';
import { conflict, errnoOf, silentLogger, type Logger } from '#kernel';
import type { Backends } from './backends.ts';
import { Dispatcher } from './dispatch.ts';
import { keepEarlyBytes, plainConnection, takeHttp2, upgradedConnection } from './hijack/connection.ts';
import { Routes, type Route } from './route.ts';
import { allRoutes } from './routes/index.ts';

export interface ApiServerOptions {
  readonly backends: Backends;
  /** Shown in the header Server and by the CLI. */
  readonly engineVersion: string;
  /** The newest version offered; default 1.56. Lower it for clients that refuse what they do not know. */
  readonly maxApiVersion?: string;
  readonly experimental?: boolean;
  readonly logger?: Logger;
  /** Operations of modules that this one does not know, such as builds. */
  readonly extraRoutes?: readonly Route[];
  /** Takes over connections whose clients speak HTTP/2 from the first byte on; without it they are refused. */
  readonly serveHttp2?: (socket: Duplex) => void;
}

export type ListenOptions =
  /** A unix socket that listens already; its file stays when the server closes. */
  | { readonly path: string; readonly fd: number }
  | {
      readonly path: string;
      /** Permission bits of the socket; default 0660. */
      readonly mode?: number;
      readonly gid?: number;
    }
  | {
      readonly host: string;
      readonly port: number;
      /** PEM texts; with `ca` clients need a certificate that it signed. */
      readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
    };

/** Serves the Engine API on any number of sockets. */
export interface ApiServer extends AsyncDisposable {
  /** Resolves to the address once connections are accepted. Throws conflict when somebody else listens there. */
  listen(
    options: ListenOptions,
  ): Promise<{ readonly path: string } | { readonly host: string; readonly port: number }>;
  /** Stops listening and cuts every connection. Idempotent. */
  close(): Promise<void>;
}

/** The newest version of the API that this server speaks. */
export const newestApiVersion = '1.56';

export function createApiServer(options: ApiServerOptions): ApiServer {
  const maxApiVersion = options.maxApiVersion ?? newestApiVersion;
  const experimental = options.experimental ?? false;
  const routes = new Routes([
    ...(options.extraRoutes ?? []),
    ...allRoutes(options.backends, { maxApiVersion, engineVersion: options.engineVersion, experimental }),
  ]);
  const dispatcher = new Dispatcher({
    routes,
    maxApiVersion,
    experimental,
    engineVersion: options.engineVersion,
    logger: options.logger ?? silentLogger,
  });
  return new HttpApiServer(dispatcher, options.serveHttp2);
}

class HttpApiServer implements ApiServer {
  readonly #dispatcher: Dispatcher;
  readonly #servers = new Set<Server>();
  /** Node forgets upgraded connections: these are cut by close(). */
  readonly #hijacked = new Set<Duplex>();

  readonly #serveHttp2: ((socket: Duplex) => void) | undefined;

  constructor(dispatcher: Dispatcher, serveHttp2: ((socket: Duplex) => void) | undefined) {
    this.#dispatcher = dispatcher;
    this.#serveHttp2 = serveHttp2;
  }

  async listen(
    options: ListenOptions,
  ): Promise<{ readonly path: string } | { readonly host: string; readonly port: number }> {
    if ('fd' in options) return this.#serve(options);
    if ('path' in options) await removeStaleSocket(options.path);
    const server = this.#server('path' in options ? undefined : options.tls);
    await listening(
      server,
      'path' in options ? { path: options.path } : { host: options.host, port: options.port },
    ).catch((error: unknown) => {
      if (errnoOf(error) !== 'EADDRINUSE') throw error;
      const place = 'path' in options ? options.path : `${options.host}:${options.port}`;
      throw conflict(`cannot listen on ${place}: another process does`, error);
    });
    this.#servers.add(server);
    if ('path' in options) {
      chmodSync(options.path, options.mode ?? 0o660);
      if (options.gid !== undefined) chownSync(options.path, -1, options.gid);
      return { path: options.path };
    }
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new TypeError('no address');
    return { host: address.address, port: address.port };
  }

  async #serve({ fd, path }: { readonly fd: number; readonly path: string }): Promise<{ path: string }> {
    const server = this.#server();
    await listening(server, { fd });
    this.#servers.add(server);
    return { path };
  }

  async close(): Promise<void> {
    const closed = [...this.#servers].map(
      async (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
    this.#servers.clear();
    for (const socket of this.#hijacked) socket.destroy();
    await Promise.all(closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #server(tls?: { readonly key: string; readonly cert: string; readonly ca?: string }): Server {
    const settings = {
      // Loads and builds send for longer than any limit; the peers are trusted.
      requestTimeout: 0,
      headersTimeout: 0,
      // Go clients keep idle connections for 30 s or more: closing first would race with their next request.
      keepAliveTimeout: 120_000,
      maxHeaderSize: 1024 * 1024,
      requireHostHeader: false,
      noDelay: true,
      shouldUpgradeCallback: (request: IncomingMessage) => this.#dispatcher.hijacks(request),
    };
    const server = tls
      ? createTlsServer({ ...settings, ...tls, requestCert: tls.ca !== undefined })
      : createServer(settings);
    server.timeout = 0;
    server.maxRequestsPerSocket = 0;
    server.on('request', (request, response) => {
      const connection = this.#dispatcher.hijacks(request) ? plainConnection(request, response) : undefined;
      if (connection) this.#track(connection.socket);
      void this.#dispatcher.run(request, response, connection);
    });
    server.on('upgrade', (request, socket, head) => {
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(request.socket);
      response.once('finish', () => {
        socket.end();
        socket.resume();
      });
      this.#track(socket);
      socket.on('error', () => socket.destroy());
      void this.#dispatcher.run(request, response, upgradedConnection(request, response, socket, head));
    });
    server.on('clientError', (error: Error, socket) => {
      if (keepEarlyBytes(error, socket)) return;
      if (this.#serveHttp2 && takeHttp2(error, socket, this.#serveHttp2)) {
        this.#track(socket);
        return;
      }
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
    return server;
  }

  #track(socket: Duplex): void {
    if (this.#hijacked.has(socket)) return;
    this.#hijacked.add(socket);
    socket.once('close', () => this.#hijacked.delete(socket));
  }
}

async function listening(server: Server, place: NetListenOptions | { readonly fd: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(place, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Removes a socket that nobody listens on; it would make listening fail. */
async function removeStaleSocket(path: string): Promise<void> {
  const outcome = await new Promise<string | undefined>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(undefined);
    });
    probe.once('error', (error) => resolve(errnoOf(error)));
  });
  if (outcome === 'ECONNREFUSED') await unlink(path);
}
