import { closeSync } from 'node:fs';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { messageOf, type Logger } from '#kernel';
import { Nftables, openListener, openNetns, runInNetns } from '#linux';
import type { OpenSandbox } from '../open-sandbox.ts';
import { answerQuery, parseQuery, servfail } from './answer.ts';
import { NetworkNames } from './names.ts';
import { askUpstream, frame, streamMessages, type Upstream } from './upstream.ts';

/** Where containers on user-defined networks ask. */
const resolverAddress = '127.0.0.11';

interface Resolver {
  sandbox: OpenSandbox;
  readonly fd: number;
  readonly datagrams: DatagramSocket;
  readonly streams: Server;
  readonly clients: Set<Socket>;
}

/** Queries a container may have open upstream at once; more are answered SERVFAIL, as by Docker. */
const maxPending = 1024;

/** The DNS servers of containers: sockets in their namespaces, served by this process. */
export class Resolvers {
  readonly #names = new NetworkNames();
  readonly #resolvers = new Map<string, Resolver>();
  readonly #logger: Logger;
  readonly #hostServers: () => readonly string[];
  #pending = 0;

  /** `hostServers`: the resolvers of the host, asked from the host's namespace. */
  constructor(options: { logger: Logger; hostServers: () => readonly string[] }) {
    this.#logger = options.logger;
    this.#hostServers = options.hostServers;
  }

  /** Makes the sandbox's names known and serves it; updates both if it does already. */
  open(sandbox: OpenSandbox): void {
    this.update(sandbox);
    const present = this.#resolvers.get(sandbox.containerId);
    if (present) present.sandbox = sandbox;
    else this.#resolvers.set(sandbox.containerId, this.#listen(sandbox));
  }

  /** The names of the sandbox's endpoints changed. */
  update(sandbox: OpenSandbox): void {
    for (const { endpoint } of sandbox.endpoints) {
      if (endpoint.dnsNames.length > 0) this.#names.set(endpoint);
    }
  }

  /** The container left a network. */
  forget(containerId: string, networkId: string): void {
    this.#names.delete(networkId, containerId);
  }

  close(containerId: string): void {
    const resolver = this.#resolvers.get(containerId);
    if (!resolver) return;
    this.#resolvers.delete(containerId);
    for (const { endpoint } of resolver.sandbox.endpoints)
      this.#names.delete(endpoint.networkId, containerId);
    resolver.datagrams.close();
    resolver.streams.close();
    for (const client of resolver.clients) client.destroy();
    closeSync(resolver.fd);
  }

  closeAll(): void {
    for (const containerId of [...this.#resolvers.keys()]) this.close(containerId);
  }

  #listen(sandbox: OpenSandbox): Resolver {
    const fd = openNetns(sandbox.path);
    try {
      const { datagram, stream } = runInNetns(fd, listenInNamespace);
      const clients = new Set<Socket>();
      const datagrams = createSocket({ type: 'udp4' });
      const streams = createServer((client) => this.#serveStream(sandbox.containerId, client, clients));
      const onError = (error: Error): void =>
        this.#logger.warn({ containerId: sandbox.containerId, error: messageOf(error) }, 'resolver failed');
      datagrams.on('error', onError);
      streams.on('error', onError);
      datagrams.on('message', (query, from) => {
        void this.#answer(sandbox.containerId, query, 'udp').then((answer) => {
          if (answer && this.#resolvers.has(sandbox.containerId))
            datagrams.send(answer, from.port, from.address);
        });
      });
      datagrams.bind({ fd: datagram }).unref();
      streams.listen({ fd: stream }).unref();
      return { sandbox, fd, datagrams, streams, clients };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  #serveStream(containerId: string, client: Socket, clients: Set<Socket>): void {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    client.on('error', () => client.destroy());
    client.setTimeout(10_000, () => client.destroy());
    client.unref();
    const onMessage = streamMessages((query) => {
      void this.#answer(containerId, query, 'tcp').then((answer) => {
        if (answer && client.writable) client.write(frame(answer));
      });
    });
    client.on('data', onMessage);
  }

  async #answer(containerId: string, query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const parsed = parseQuery(query);
    const resolver = this.#resolvers.get(containerId);
    if (!parsed || !resolver) return undefined;
    const { packet, question } = parsed;
    const networks = resolver.sandbox.endpoints.map(({ endpoint }) => endpoint.networkId);
    const own = answerQuery(packet, question, {
      resolve: (name) => this.#resolve(resolver.sandbox, name, networks),
      reverse: (name) => this.#names.reverse(name, networks),
    });
    if (own) return own;
    const servers = this.#upstream(resolver);
    if (servers.length === 0 || this.#pending >= maxPending) return servfail(packet, question);
    this.#pending += 1;
    try {
      return (await askUpstream(query, servers, transport)) ?? servfail(packet, question);
    } finally {
      this.#pending -= 1;
    }
  }

  /** A link (`--link db:database`) is a name that only this container has for another. */
  #resolve(
    sandbox: OpenSandbox,
    name: string,
    networks: readonly string[],
  ): ReturnType<NetworkNames['resolve']> {
    for (const { endpoint, spec } of sandbox.endpoints) {
      const link = spec.links?.find((text) => text.split(':')[1]?.toLowerCase() === name.toLowerCase());
      const target = link?.split(':')[0];
      if (target !== undefined) return this.#names.resolve(target, [endpoint.networkId]);
    }
    return this.#names.resolve(name, networks);
  }

  /** A container without a way out (internal networks only) gets no answers from outside. */
  #upstream({ sandbox, fd }: Resolver): Upstream[] {
    const hasGateway = sandbox.endpoints.some(
      ({ endpoint }) => endpoint.ipv4?.gateway !== undefined || endpoint.ipv6?.gateway !== undefined,
    );
    if (!hasGateway) return [];
    if (!sandbox.dns || sandbox.dns.length === 0) return this.#hostServers().map((address) => ({ address }));
    return sandbox.dns.map((address) => ({ address, enter: (body) => runInNetns(fd, body) }));
  }
}

/**
 * Opens both sockets on a port of the kernel's choice and leads port 53 to them, so that the container can have a server
 * of its own on 0.0.0.0:53. Runs in the container's namespace.
 */
function listenInNamespace(): { datagram: number; stream: number } {
  const datagram = openListener('udp', resolverAddress, 0);
  let stream: number | undefined;
  try {
    const streams = openListener('tcp', resolverAddress, 0);
    stream = streams.fd;
    using nft = new Nftables();
    nft.run(`
      add table ip wharf_dns
      delete table ip wharf_dns
      table ip wharf_dns {
        chain output {
          type nat hook output priority -100;
          ip daddr ${resolverAddress} udp dport 53 dnat to ${resolverAddress}:${datagram.port}
          ip daddr ${resolverAddress} tcp dport 53 dnat to ${resolverAddress}:${streams.port}
        }
      }`);
    return { datagram: datagram.fd, stream };
  } catch (error) {
    closeSync(datagram.fd);
    if (stream !== undefined) closeSync(stream);
    throw error;
  }
}
