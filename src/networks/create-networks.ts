import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KeyedLock, messageOf, shortId } from '#kernel';
import { listLinks, NetlinkSocket, removeNetns } from '#linux';
import type {
  Endpoint,
  EndpointSpec,
  NetworkRecord,
  Networks,
  NetworkSpec,
  Sandbox,
  SandboxSpec,
} from './networks.ts';
import { parseResolvConf, readHostResolvConf } from './dns/resolv-conf.ts';
import { Resolvers } from './dns/resolvers.ts';
import { NftablesFirewall, noFirewall, type Firewall } from './firewall.ts';
import { foreignForwardDrops } from './forwarding.ts';
import { exclusively } from './exclusively.ts';
import { forbidden } from './network-errors.ts';
import { isPredefined } from './network-record.ts';
import { NetworkRegistry } from './network-registry.ts';
import { linkAlias, tableName, type NetworksOptions } from './networks-options.ts';
import { ephemeralRange } from './ports/port-allocation.ts';
import { PortRelay } from './ports/port-relay.ts';
import { PublishedPorts } from './ports/published-ports.ts';
import { removeBridge } from './bridge-link.ts';
import { SandboxRestoration } from './sandbox-restoration.ts';
import { netnsPath } from './open-sandbox.ts';
import { Sandboxes } from './sandboxes.ts';
import { loadSandboxes } from './sandbox-store.ts';

/** Networks of this host. Opens the netlink socket; nothing on the host changes before start(). */
export function createNetworks(options: NetworksOptions): Networks {
  return new HostNetworks(options);
}

class HostNetworks implements Networks {
  readonly #options: NetworksOptions;
  readonly #socket = new NetlinkSocket('route');
  readonly #firewall: Firewall;
  readonly #registry: NetworkRegistry;
  readonly #relay: PortRelay;
  readonly #ports: PublishedPorts;
  readonly #resolvers: Resolvers;
  readonly #sandboxes: Sandboxes;
  readonly #locks = new KeyedLock();

  constructor(options: NetworksOptions) {
    this.#options = options;
    const translates = options.iptables !== false;
    this.#firewall = translates ? new NftablesFirewall(tableName(options.instance)) : noFirewall;
    this.#registry = new NetworkRegistry(options, this.#socket, this.#firewall);
    this.#relay = new PortRelay(options.logger);
    this.#ports = new PublishedPorts({
      firewall: this.#firewall,
      translates,
      relay: this.#relay,
      logger: options.logger,
      range: options.portRange ?? ephemeralRange(),
      bindingIp: options.defaultBindingIp,
    });
    this.#resolvers = new Resolvers({ logger: options.logger, hostServers: () => hostServers(options) });
    this.#sandboxes = new Sandboxes({
      options,
      socket: this.#socket,
      registry: this.#registry,
      ports: this.#ports,
      resolvers: this.#resolvers,
    });
  }

  async start(live: ReadonlySet<string>): Promise<void> {
    const options = this.#options;
    mkdirSync(join(options.runFolder, 'netns'), { recursive: true, mode: 0o755 });
    this.#registry.start();
    const restoration = new SandboxRestoration({
      options,
      socket: this.#socket,
      registry: this.#registry,
      ports: this.#ports,
      resolvers: this.#resolvers,
    });
    for (const sandbox of restoration.run(loadSandboxes(options.db), live)) this.#sandboxes.adopt(sandbox);
    this.#firewall.replace(this.#registry.bridges, this.#ports.mappings);
    await this.#removeOrphans();
    this.#warnOfForeignRules();
  }

  async create(spec: NetworkSpec): Promise<NetworkRecord> {
    return await exclusively(this.#locks, 'networks', async () => {
      const record = await this.#registry.create(spec);
      this.#event('create', record);
      return record;
    });
  }

  find(idOrName: string): NetworkRecord | undefined {
    return this.#registry.find(idOrName);
  }

  get(idOrName: string): NetworkRecord {
    return this.#registry.get(idOrName);
  }

  list(): readonly NetworkRecord[] {
    return this.#registry.list();
  }

  async remove(idOrName: string): Promise<void> {
    await exclusively(this.#locks, 'networks', async () => {
      const record = this.#registry.get(idOrName);
      const users = this.#sandboxes.all.filter((sandbox) =>
        sandbox.endpoints.some(({ endpoint }) => endpoint.networkId === record.id),
      );
      if (users.length > 0 && !isPredefined(record.name)) {
        const list = users.map(
          (sandbox) =>
            `name:"${sandbox.containerName}" id:"${shortId(this.#endpointId(sandbox.containerId, record))}"`,
        );
        throw forbidden(
          `error while removing network: network ${record.name} has active endpoints (${list.join(', ')})`,
        );
      }
      await this.#registry.remove(record);
      this.#event('destroy', record);
    });
  }

  endpoints(networkId: string): readonly Endpoint[] {
    return this.#sandboxes.all.flatMap((sandbox) =>
      sandbox.endpoints.flatMap(({ endpoint }) => (endpoint.networkId === networkId ? [endpoint] : [])),
    );
  }

  async openSandbox(spec: SandboxSpec): Promise<Sandbox> {
    return await this.#sandboxes.open(spec);
  }

  findSandbox(containerId: string): Sandbox | undefined {
    return this.#sandboxes.find(containerId);
  }

  async connect(containerId: string, network: string, spec: EndpointSpec): Promise<Endpoint> {
    return await this.#sandboxes.connect(containerId, network, spec);
  }

  async disconnect(containerId: string, network: string): Promise<void> {
    await this.#sandboxes.disconnect(containerId, network);
  }

  async closeSandbox(containerId: string): Promise<void> {
    await this.#sandboxes.close(containerId);
  }

  rename(containerId: string, name: string): void {
    this.#sandboxes.rename(containerId, name);
  }

  /** Closes what this process holds. Namespaces, links and rules stay for the containers that run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ports.close();
    this.#resolvers.closeAll();
    await this.#relay[Symbol.asyncDispose]();
    this.#firewall[Symbol.dispose]();
    this.#socket[Symbol.dispose]();
  }

  #endpointId(containerId: string, record: NetworkRecord): string {
    return this.endpoints(record.id).find((endpoint) => endpoint.containerId === containerId)?.id ?? '';
  }

  /** Namespaces and bridges of this instance that no record knows: a daemon died between making and recording them. */
  async #removeOrphans(): Promise<void> {
    const folder = join(this.#options.runFolder, 'netns');
    const known = new Set(this.#sandboxes.all.map((sandbox) => sandbox.containerId));
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (known.has(name)) continue;
      this.#options.logger.info({ containerId: name }, 'removing an orphaned network namespace');
      removeNetns(netnsPath(this.#options, name));
    }
    const bridges = new Set(this.#registry.bridges.map((bridge) => bridge.name));
    const alias = linkAlias(this.#options.instance);
    for (const link of listLinks(this.#socket)) {
      if (link.kind !== 'bridge' || link.alias !== alias || bridges.has(link.name)) continue;
      this.#options.logger.info({ bridge: link.name }, 'removing an orphaned bridge');
      await removeBridge(link.name, alias);
    }
  }

  /** A drop in anybody's table drops, whatever ours says. */
  #warnOfForeignRules(): void {
    if (this.#options.iptables === false) return;
    try {
      const chains = foreignForwardDrops();
      if (chains.length === 0) return;
      this.#options.logger.warn(
        { chains },
        'another program drops forwarded packets: containers may not reach the network; allow them in its rules (DOCKER-USER, or the policy of FORWARD)',
      );
    } catch (error) {
      this.#options.logger.debug({ error: messageOf(error) }, "cannot list the host's chains");
    }
  }

  #event(action: 'create' | 'destroy', record: NetworkRecord): void {
    this.#options.events.publish('network', action, record.id, { name: record.name, type: record.driver });
  }
}

function hostServers(options: NetworksOptions): readonly string[] {
  if (options.dns && options.dns.length > 0) return options.dns;
  return parseResolvConf(readHostResolvConf(options.hostResolvConf)).nameservers;
}
