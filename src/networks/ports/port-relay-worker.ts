import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';
import type { RelayMessage, RelayTarget } from './port-relay.ts';

/** A client that was silent that long is forgotten (milliseconds); as docker-proxy does it. */
const idle = 90_000;

function relayConnection(fd: number, target: RelayTarget): void {
  const client = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  const server = connect({ host: target.address, port: target.port, allowHalfOpen: true });
  const end = (): void => {
    client.destroy();
    server.destroy();
  };
  client.on('error', end);
  server.on('error', end);
  client.pipe(server).pipe(client);
}

interface Flow {
  readonly socket: DatagramSocket;
  readonly timer: NodeJS.Timeout;
}

/** Relays datagrams: each client gets a socket of its own towards the container, so that answers find their way back. */
class DatagramRelay {
  readonly #listener: DatagramSocket;
  readonly #target: RelayTarget;
  readonly #flows = new Map<string, Flow>();

  constructor(fd: number, family: 'udp4' | 'udp6', target: RelayTarget) {
    this.#target = target;
    this.#listener = createSocket(family);
    this.#listener.on('message', (data, from) => this.forward(data, from.address, from.port));
    this.#listener.on('error', () => undefined);
    this.#listener.bind({ fd });
  }

  forward(data: Uint8Array, address: string, port: number): void {
    const key = `${address} ${port}`;
    const flow = this.#flows.get(key) ?? this.#open(key, address, port);
    flow.timer.refresh();
    flow.socket.send(data, this.#target.port, this.#target.address);
  }

  stop(): void {
    this.#listener.close();
    for (const { socket, timer } of this.#flows.values()) {
      clearTimeout(timer);
      socket.close();
    }
    this.#flows.clear();
  }

  #open(key: string, address: string, port: number): Flow {
    const socket = createSocket(this.#target.address.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (data) => this.#listener.send(data, port, address));
    socket.on('error', () => undefined);
    const timer = setTimeout(() => {
      this.#flows.delete(key);
      socket.close();
    }, idle);
    const flow = { socket, timer };
    this.#flows.set(key, flow);
    return flow;
  }
}

const relays = new Map<number, DatagramRelay>();

parentPort?.on('message', (message: RelayMessage) => {
  switch (message.type) {
    case 'connection':
      relayConnection(message.fd, message.target);
      return;
    case 'datagrams': {
      const relay = new DatagramRelay(message.fd, message.family, message.target);
      relays.set(message.key, relay);
      relay.forward(message.first.data, message.first.address, message.first.port);
      return;
    }
    case 'stop':
      relays.get(message.key)?.stop();
      relays.delete(message.key);
  }
});
