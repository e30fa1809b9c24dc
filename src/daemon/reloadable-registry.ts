import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from '#registry/client';
import type { LiveConfiguration } from './live-configuration.ts';
import { wharfVersion } from './version.ts';

/**
 * A registry client whose mirrors and insecure registries are those of the configuration in force. Transfers go on
 * with the client that they began with.
 */
export class ReloadableRegistry implements RegistryClient {
  readonly #live: LiveConfiguration;
  readonly #clients: RegistryClient[] = [];
  #settings: string | undefined;

  constructor(live: LiveConfiguration) {
    this.#live = live;
  }

  repository(...args: Parameters<RegistryClient['repository']>): ReturnType<RegistryClient['repository']> {
    return this.#client().repository(...args);
  }

  search(...args: Parameters<RegistryClient['search']>): ReturnType<RegistryClient['search']> {
    return this.#client().search(...args);
  }

  login(...args: Parameters<RegistryClient['login']>): ReturnType<RegistryClient['login']> {
    return this.#client().login(...args);
  }

  #client(): RegistryClient {
    const { registry, proxies } = this.#live.current;
    const options: RegistryClientOptions = {
      mirrors: registry.mirrors,
      insecureRegistries: registry.insecure,
      certificateFolders: registry.certificates,
      proxies,
      userAgent: `wharf/${wharfVersion} (linux)`,
    };
    const settings = JSON.stringify(options);
    const current = this.#clients.at(-1);
    if (current && settings === this.#settings) return current;
    const client = createRegistryClient(options);
    this.#clients.push(client);
    this.#settings = settings;
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.splice(0)) await client[Symbol.asyncDispose]();
  }
}
