import { closeSync } from 'node:fs';
import { createSocket, type RemoteInfo, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { messageOf, type Logger } from '#kernel';
import { duplicate } from '#linux';

export interface RelayTarget {
  readonly address: string;
  readonly port: number;
}

/** What the worker is told. Descriptors are the process's, so a number is enough; the worker closes those it is given. */
export type RelayMessage =
  | { readonly type: 'connection'; readonly fd: number; readonly target: RelayTarget }
  | {
      readonly type: 'datagrams';
      readonly key: number;
      readonly fd: number;
      readonly family: 'udp4' | 'udp6';
      readonly target: RelayTarget;
      readonly first: { readonly data: Uint8Array; readonly address: string; readonly port: number };
    }
  | { readonly type: 'stop'; readonly key: number };

const workerFile = import.meta.url.endsWith('.ts') ? './port-relay-worker.ts' : './port-relay-worker.js';

/**
 * Passes on what the packet filter cannot lead to a container: connections to ::1, IPv6 to a container that has only
 * IPv4, and everything where rules are off. The bytes flow in a worker thread, which is started by the first
 * connection: most published ports never need it.
 */
export class PortRelay implements AsyncDisposable {
  readonly #logger: Logger;
  #worker: Worker | undefined;
  #nextKey = 1;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Serves a listening (tcp) or bound (udp) descriptor, which becomes the relay's. Returns how to stop. */
  listen(fd: number, protocol: 'tcp' | 'udp', target: RelayTarget): () => void {
    return protocol === 'tcp' ? this.#listenStream(fd, target) : this.#listenDatagrams(fd, target);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #listenStream(fd: number, target: RelayTarget): () => void {
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      const connection = descriptor(socket);
      if (connection >= 0) this.#send({ type: 'connection', fd: duplicate(connection), target });
      socket.destroy();
    });
    server.on('error', (error) =>
      this.#logger.warn({ error: messageOf(error), target }, 'port relay failed'),
    );
    server.listen({ fd }).unref();
    return () => void server.close();
  }

  #listenDatagrams(fd: number, target: RelayTarget): () => void {
    const copy = duplicate(fd);
    const key = this.#nextKey++;
    const socket: DatagramSocket = createSocket({ type: 'udp6' });
    let relayed = false;
    let open = true;
    const close = (): void => {
      if (open) socket.close();
      open = false;
    };
    const handOver = (data: Buffer, from: RemoteInfo): void => {
      if (relayed) return;
      relayed = true;
      close();
      const family = from.family === 'IPv6' ? 'udp6' : 'udp4';
      this.#send({
        type: 'datagrams',
        key,
        fd: copy,
        family,
        target,
        first: { data, address: from.address, port: from.port },
      });
    };
    socket.on('message', handOver);
    socket.on('error', (error) =>
      this.#logger.warn({ error: messageOf(error), target }, 'port relay failed'),
    );
    socket.bind({ fd }).unref();
    return () => {
      close();
      if (relayed) this.#send({ type: 'stop', key });
      else closeSync(copy);
    };
  }

  #send(message: RelayMessage): void {
    this.#worker ??= this.#startWorker();
    this.#worker.postMessage(message);
  }

  #startWorker(): Worker {
    const worker = new Worker(new URL(workerFile, import.meta.url), { name: 'port-relay' });
    worker.unref();
    worker.on('error', (error) =>
      this.#logger.error({ error: messageOf(error) }, 'port relay worker failed'),
    );
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }
}

/** libuv's descriptor of a socket: not a documented property, but the only way to hand a connection to a worker. */
function descriptor(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } };
  return handle?.fd ?? -1;
}
