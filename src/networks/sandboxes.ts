import { internal, invalidArgument, KeyedLock, Limiter, messageOf, newId, notFound } from '#kernel';
import { createNetns, removeNetns, type NetlinkSocket } from '#linux';
import type { Endpoint, EndpointSpec, NetworkRecord, PortRequest, Sandbox, SandboxSpec } from './networks.ts';
import type { Resolvers } from './dns/resolvers.ts';
import { attachLink, breathe, NetnsLinks } from './endpoint-link.ts';
import { dnsNames, macOf, normalMac, validateEndpointSpec } from './endpoint-spec.ts';
import { netnsPath, type OpenSandbox } from './open-sandbox.ts';
import { exclusively } from './exclusively.ts';
import { forbidden, networkingFailed } from './network-errors.ts';
import { bridgeOptions } from './network-record.ts';
import type { NetworkRegistry } from './network-registry.ts';
import { linkAlias, type NetworksOptions } from './networks-options.ts';
import type { PublishedPorts } from './ports/published-ports.ts';
import { randomMac } from './bridge-link.ts';
import { gatewayEndpoint } from './gateway.ts';
import { deleteSandbox, saveSandbox, type StoredEndpoint, type StoredSandbox } from './sandbox-store.ts';

export interface SandboxParts {
  readonly options: NetworksOptions;
  readonly socket: NetlinkSocket;
  readonly registry: NetworkRegistry;
  readonly ports: PublishedPorts;
  readonly resolvers: Resolvers;
}

/** The containers' namespaces and their places in networks. One operation at a time per container. */
export class Sandboxes {
  readonly #parts: SandboxParts;
  readonly #locks = new KeyedLock();
  /** One sandbox is made or closed at a time: side by side, their steps would add up in one turn of the event loop. */
  readonly #turns = new Limiter(1);
  readonly #open = new Map<string, OpenSandbox>();

  constructor(parts: SandboxParts) {
    this.#parts = parts;
  }

  get all(): readonly OpenSandbox[] {
    return [...this.#open.values()];
  }

  find(containerId: string): Sandbox | undefined {
    const sandbox = this.#open.get(containerId);
    return sandbox && view(sandbox);
  }

  /** Takes up a sandbox that outlived a restart; its parts have been restored already. */
  adopt(sandbox: OpenSandbox): void {
    this.#open.set(sandbox.containerId, sandbox);
  }

  async open(spec: SandboxSpec): Promise<Sandbox> {
    return await exclusively(this.#locks, spec.containerId, async () => {
      try {
        return await this.#turns.run(async () => {
          await this.#close(spec.containerId);
          return view(await this.#make(spec));
        });
      } catch (error) {
        throw networkingFailed(error);
      }
    });
  }

  async connect(containerId: string, network: string, spec: EndpointSpec): Promise<Endpoint> {
    return await exclusively(this.#locks, containerId, async () => {
      const sandbox = this.#get(containerId);
      const record = this.#parts.registry.get(network);
      validateEndpointSpec(record, spec);
      if (sandbox.endpoints.some(({ endpoint }) => endpoint.networkId === record.id)) {
        throw forbidden(
          `endpoint with name ${sandbox.containerName} already exists in network ${record.name}`,
        );
      }
      using netns = new NetnsLinks(sandbox.path);
      const entry = await this.#addEndpoint(sandbox, netns, record, spec);
      try {
        this.#settle(sandbox, netns);
      } catch (error) {
        await this.#removeEndpoint(sandbox, netns, entry);
        throw error;
      }
      this.#event('connect', sandbox, record);
      return entry.endpoint;
    });
  }

  async disconnect(containerId: string, network: string): Promise<void> {
    await exclusively(this.#locks, containerId, async () => {
      const record = this.#parts.registry.get(network);
      const sandbox = this.#open.get(containerId);
      const entry = sandbox?.endpoints.find(({ endpoint }) => endpoint.networkId === record.id);
      if (!sandbox || !entry) {
        throw internal(`container ${containerId} is not connected to network ${record.name}`);
      }
      using netns = new NetnsLinks(sandbox.path);
      await this.#removeEndpoint(sandbox, netns, entry);
      this.#settle(sandbox, netns);
      this.#event('disconnect', sandbox, record);
    });
  }

  async close(containerId: string): Promise<void> {
    await exclusively(this.#locks, containerId, async () => {
      await this.#turns.run(() => this.#close(containerId));
    });
  }

  rename(containerId: string, name: string): void {
    const sandbox = this.#open.get(containerId);
    if (!sandbox) return;
    sandbox.containerName = name;
    sandbox.endpoints = sandbox.endpoints.map(({ endpoint, spec }) => {
      const record = this.#parts.registry.get(endpoint.networkId);
      return { spec, endpoint: { ...endpoint, dnsNames: dnsNames(record, sandbox, spec.aliases ?? []) } };
    });
    this.#parts.resolvers.update(sandbox);
    this.#save(sandbox);
  }

  async #make(spec: SandboxSpec): Promise<OpenSandbox> {
    const { options } = this.#parts;
    const path = netnsPath(options, spec.containerId);
    const sandbox: OpenSandbox = {
      containerId: spec.containerId,
      path,
      containerName: spec.containerName,
      hostname: spec.hostname,
      requests: spec.ports,
      dns: spec.dns,
      isSilent: spec.isSilent ?? false,
      ports: [],
      endpoints: [],
    };
    const wanted = spec.endpoints.map(({ network, spec: endpoint }) => {
      const record = this.#parts.registry.get(network === 'default' ? 'bridge' : network);
      validateEndpointSpec(record, endpoint);
      return { record, endpoint };
    });
    removeNetns(path);
    createNetns(path);
    this.#open.set(spec.containerId, sandbox);
    try {
      using netns = new NetnsLinks(path);
      netns.loopbackUp();
      await breathe();
      for (const { record, endpoint } of wanted) await this.#addEndpoint(sandbox, netns, record, endpoint);
      await breathe();
      this.#settle(sandbox, netns);
    } catch (error) {
      this.#dismantle(sandbox);
      throw error;
    }
    for (const { record } of wanted) this.#event('connect', sandbox, record);
    return sandbox;
  }

  async #addEndpoint(
    sandbox: OpenSandbox,
    netns: NetnsLinks,
    record: NetworkRecord,
    spec: EndpointSpec,
  ): Promise<StoredEndpoint> {
    const { options, registry, socket } = this.#parts;
    if (record.driver === 'host') throw internal('the host network has no sandbox');
    const link = record.driver === 'bridge' ? interfaceName(sandbox, spec) : '';
    const lease = record.driver === 'bridge' ? registry.lease(record, spec) : {};
    const endpoint: Endpoint = {
      id: newId(),
      networkId: record.id,
      networkName: record.name,
      containerId: sandbox.containerId,
      interfaceName: link,
      macAddress:
        record.driver === 'bridge'
          ? (normalMac(spec.macAddress) ?? macOf(lease.ipv4?.address) ?? randomMac())
          : '',
      ...(lease.ipv4 && { ipv4: withoutInternalGateway(record, lease.ipv4) }),
      ...(lease.ipv6 && { ipv6: withoutInternalGateway(record, lease.ipv6) }),
      dnsNames: dnsNames(record, sandbox, spec.aliases ?? []),
    };
    const entry = { endpoint, spec };
    // Known before it is made, so that the network cannot be removed meanwhile.
    sandbox.endpoints.push(entry);
    if (record.driver !== 'bridge') return entry;
    try {
      const bridge = registry.bridge(record);
      const { icc } = bridgeOptions(record);
      const alias = linkAlias(options.instance);
      await attachLink(socket, netns, endpoint, spec, { ...bridge, alias, isolated: !icc });
      return entry;
    } catch (error) {
      sandbox.endpoints = sandbox.endpoints.filter((other) => other !== entry);
      registry.release(record.id, lease);
      throw error;
    }
  }

  async #removeEndpoint(sandbox: OpenSandbox, netns: NetnsLinks, entry: StoredEndpoint): Promise<void> {
    const { networkId, interfaceName: link } = entry.endpoint;
    sandbox.endpoints = sandbox.endpoints.filter((other) => other !== entry);
    this.#parts.resolvers.forget(sandbox.containerId, networkId);
    if (link !== '') await netns.remove(link);
    this.#parts.registry.release(networkId, entry.endpoint);
  }

  /** Brings everything that depends on the set of endpoints up to date, and records it. */
  #settle(sandbox: OpenSandbox, netns: NetnsLinks): void {
    this.#route(sandbox, netns);
    this.#resolve(sandbox);
    this.#republish(sandbox);
    this.#save(sandbox);
  }

  #route(sandbox: OpenSandbox, netns: NetnsLinks): void {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const endpoint = gatewayEndpoint(sandbox.endpoints, family);
      const gateway = endpoint?.[family]?.gateway;
      if (endpoint && gateway !== undefined) netns.setDefaultRoute(gateway, endpoint.interfaceName);
    }
  }

  #resolve(sandbox: OpenSandbox): void {
    // Only user-defined networks have names.
    if (sandbox.endpoints.some(({ endpoint }) => endpoint.dnsNames.length > 0)) {
      this.#parts.resolvers.open(sandbox);
    }
  }

  /** Publishes on the endpoint that is the way out; when that changes, the same host ports lead to the new one. */
  #republish(sandbox: OpenSandbox): void {
    const { ports, registry } = this.#parts;
    const endpoint = gatewayEndpoint(sandbox.endpoints, 'ipv4') ?? gatewayEndpoint(sandbox.endpoints, 'ipv6');
    if (sandbox.requests.length === 0 || ports.target(sandbox.containerId) === endpoint?.id) return;
    const before = sandbox.ports.map((port): PortRequest => ({
      ...port,
      hostPort: { first: port.hostPort, last: port.hostPort },
    }));
    ports.unpublish(sandbox.containerId);
    sandbox.ports = [];
    if (!endpoint) return;
    const { hostBindingIp } = bridgeOptions(registry.get(endpoint.networkId));
    sandbox.ports = ports.publish(
      sandbox.containerId,
      { ...endpoint, name: sandbox.containerName },
      before.length > 0 ? before : sandbox.requests,
      hostBindingIp === '0.0.0.0' ? undefined : hostBindingIp,
    );
  }

  #save(sandbox: OpenSandbox): void {
    const { containerId, containerName, hostname, requests, ports, endpoints, dns } = sandbox;
    const stored: StoredSandbox = {
      containerId,
      containerName,
      hostname,
      requests,
      ports,
      endpoints,
      ...(dns && { dns }),
    };
    saveSandbox(this.#parts.options.db, stored);
  }

  async #close(containerId: string): Promise<void> {
    const sandbox = this.#open.get(containerId);
    if (!sandbox) {
      removeNetns(netnsPath(this.#parts.options, containerId));
      return;
    }
    const records = sandbox.endpoints.map(({ endpoint }) => this.#parts.registry.get(endpoint.networkId));
    this.#dismantle(sandbox);
    for (const record of records) this.#event('disconnect', sandbox, record);
    await breathe();
  }

  /** Everything a sandbox may have, in reverse; safe at any stage of its making. */
  #dismantle(sandbox: OpenSandbox): void {
    const { options, ports, registry, resolvers } = this.#parts;
    ports.unpublish(sandbox.containerId);
    resolvers.close(sandbox.containerId);
    try {
      removeNetns(sandbox.path);
    } catch (error) {
      options.logger.warn(
        { path: sandbox.path, error: messageOf(error) },
        'cannot remove a network namespace',
      );
    }
    for (const { endpoint } of sandbox.endpoints) registry.release(endpoint.networkId, endpoint);
    this.#open.delete(sandbox.containerId);
    deleteSandbox(options.db, sandbox.containerId);
  }

  #get(containerId: string): OpenSandbox {
    const sandbox = this.#open.get(containerId);
    if (!sandbox) throw notFound(`sandbox of container ${containerId} not found`);
    return sandbox;
  }

  #event(action: 'connect' | 'disconnect', sandbox: OpenSandbox, record: NetworkRecord): void {
    if (sandbox.isSilent) return;
    this.#parts.options.events.publish('network', action, record.id, {
      container: sandbox.containerId,
      name: record.name,
      type: record.driver === 'none' ? 'null' : record.driver,
    });
  }
}

const view = (sandbox: OpenSandbox): Sandbox => ({
  containerId: sandbox.containerId,
  path: sandbox.path,
  endpoints: sandbox.endpoints.map(({ endpoint }) => endpoint),
  ports: sandbox.ports,
});

function withoutInternalGateway(
  record: NetworkRecord,
  address: NonNullable<Endpoint['ipv4']>,
): NonNullable<Endpoint['ipv4']> {
  if (!record.internal) return address;
  return { address: address.address, prefixLength: address.prefixLength };
}

function interfaceName(sandbox: OpenSandbox, spec: EndpointSpec): string {
  const wished = spec.driverOptions?.['com.docker.network.endpoint.ifname'];
  const used = new Set(['lo', ...sandbox.endpoints.map(({ endpoint }) => endpoint.interfaceName)]);
  if (wished !== undefined && wished !== '') {
    const refuse = (why: string): never => {
      throw invalidArgument(`error renaming interface to "${wished}": ${why}`);
    };
    // IFNAMSIZ, with its NUL.
    if (Buffer.byteLength(wished) > 15) refuse('numerical result out of range');
    if (used.has(wished)) refuse('file exists');
    return wished;
  }
  for (let number = 0; ; number += 1) {
    const name = `eth${number}`;
    if (!used.has(name)) return name;
  }
}
