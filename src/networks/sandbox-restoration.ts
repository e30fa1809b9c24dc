import { messageOf } from '#kernel';
import { changeLink, findLink, isNetns, removeNetns } from '#linux';
import { vethName } from './endpoint-link.ts';
import { gatewayEndpoint } from './gateway.ts';
import { bridgeOptions } from './network-record.ts';
import { netnsPath, type OpenSandbox } from './open-sandbox.ts';
import type { SandboxParts } from './sandboxes.ts';
import { deleteSandbox, type StoredSandbox } from './sandbox-store.ts';

/** What start() does with the sandboxes of before. */
export class SandboxRestoration {
  readonly #parts: SandboxParts;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
  }

  /**
   * Takes up the sandboxes of live containers: their addresses, their links to the bridges, their ports and resolvers.
   * The others are closed. What cannot be restored is logged, as the container lives without it.
   */
  run(stored: readonly StoredSandbox[], live: ReadonlySet<string>): OpenSandbox[] {
    const { options } = this.#parts;
    const restored: OpenSandbox[] = [];
    for (const record of stored) {
      const path = netnsPath(options, record.containerId);
      if (!live.has(record.containerId) || !isNetns(path)) {
        removeNetns(path);
        deleteSandbox(options.db, record.containerId);
        continue;
      }
      const { dns, endpoints, ...rest } = record;
      const sandbox: OpenSandbox = { ...rest, path, dns, isSilent: false, endpoints: [...endpoints] };
      this.#guard(sandbox, 'addresses', () => this.#lease(sandbox));
      this.#guard(sandbox, 'links', () => this.#reattach(sandbox));
      this.#guard(sandbox, 'ports', () => this.#publish(sandbox));
      this.#guard(sandbox, 'resolver', () => this.#resolve(sandbox));
      restored.push(sandbox);
    }
    return restored;
  }

  #guard(sandbox: OpenSandbox, what: string, body: () => void): void {
    try {
      body();
    } catch (error) {
      const { containerId } = sandbox;
      this.#parts.options.logger.error(
        { containerId, what, error: messageOf(error) },
        'cannot restore a sandbox fully',
      );
    }
  }

  #lease(sandbox: OpenSandbox): void {
    for (const { endpoint } of sandbox.endpoints) this.#parts.registry.reserve(endpoint.networkId, endpoint);
  }

  /** A bridge that was made anew has lost its ports. */
  #reattach(sandbox: OpenSandbox): void {
    const { registry, socket } = this.#parts;
    for (const { endpoint } of sandbox.endpoints) {
      if (endpoint.interfaceName === '') continue;
      const record = registry.get(endpoint.networkId);
      const bridge = registry.bridge(record);
      const link = findLink(socket, vethName(endpoint.id));
      if (link && link.master !== bridge.index) {
        changeLink(socket, link.index, { master: bridge.index });
        changeLink(socket, link.index, { up: true, hairpin: true, isolated: !bridgeOptions(record).icc });
      }
    }
  }

  #publish(sandbox: OpenSandbox): void {
    const endpoint = gatewayEndpoint(sandbox.endpoints, 'ipv4') ?? gatewayEndpoint(sandbox.endpoints, 'ipv6');
    if (!endpoint || sandbox.ports.length === 0) return;
    const target = { ...endpoint, name: sandbox.containerName };
    this.#parts.ports.restore(sandbox.containerId, target, sandbox.ports);
  }

  #resolve(sandbox: OpenSandbox): void {
    if (sandbox.endpoints.some(({ endpoint }) => endpoint.dnsNames.length > 0)) {
      this.#parts.resolvers.open(sandbox);
    }
  }
}
