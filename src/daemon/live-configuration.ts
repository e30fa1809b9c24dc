import type { Configuration } from './configuration/configuration.ts';

/** The configuration in force: each part of the daemon asks anew for what may change while it runs. */
export class LiveConfiguration {
  #current: Configuration;

  constructor(configuration: Configuration) {
    this.#current = configuration;
  }

  get current(): Configuration {
    return this.#current;
  }

  /**
   * Takes over what can change now, which is what dockerd changes; answers the names of settings that differ still and
   * wait for the next start.
   */
  replace(next: Configuration): readonly string[] {
    const { labels, logLevel, registry, disk, cache, liveRestore, shutdownTimeout, features } = next;
    const taken = { labels, logLevel, registry, disk, cache, liveRestore, shutdownTimeout, features };
    const current: Configuration = Object.freeze({ ...this.#current, ...taken });
    this.#current = current;
    // The keys of its own type.
    const names = Object.keys(next) as (keyof Configuration)[];
    // What was taken is equal anyway.
    return names
      .filter((name) => !Object.hasOwn(taken, name))
      .filter((name) => JSON.stringify(current[name]) !== JSON.stringify(next[name]));
  }
}

/** The attributes of dockerd's event `reload`. */
export function reloadAttributes(
  { registry, containers, labels, liveRestore, logLevel, shutdownTimeout, features }: Configuration,
  hostname: string,
  runtime: string,
): Readonly<Record<string, string>> {
  const map = Object.entries(features).map(([name, value]) => `${name}:${value}`);
  return {
    debug: String(logLevel === 'debug'),
    'default-cgroupns-mode': containers.cgroupnsMode ?? '',
    'default-ipc-mode': containers.ipcMode,
    'default-runtime': runtime,
    'default-shm-size': String(containers.shmSize),
    features: `map[${map.join(' ')}]`,
    'insecure-registries': JSON.stringify(registry.insecure),
    labels: JSON.stringify(labels),
    'live-restore': String(liveRestore),
    'max-concurrent-downloads': String(registry.downloads),
    'max-concurrent-uploads': String(registry.uploads),
    'max-download-attempts': String(registry.attempts),
    name: hostname,
    'registry-mirrors': JSON.stringify(registry.mirrors),
    runtimes: Object.entries(containers.runtimes)
      .map(([name, { path }]) => `${name}:${path}`)
      .join(' '),
    'shutdown-timeout': String(shutdownTimeout),
  };
}
