import type { Configuration } from './configuration/configuration.ts';

/** What a reload changes, as dockerd does. Everything else waits for the next start. */
type Reloadable = 'labels' | 'logLevel' | 'registry' | 'liveRestore' | 'shutdownTimeout' | 'features';

const reloadable: readonly Reloadable[] = [
  'labels',
  'logLevel',
  'registry',
  'liveRestore',
  'shutdownTimeout',
  'features',
];

/** The configuration in force: each part of the daemon asks anew for what may change while it runs. */
export class LiveConfiguration {
  #current: Configuration;

  constructor(configuration: Configuration) {
    this.#current = configuration;
  }

  get current(): Configuration {
    return this.#current;
  }

  /** Takes over what can change now; answers the names of settings that differ and need a new start. */
  replace(next: Configuration): readonly string[] {
    const before: Configuration = this.#current;
    this.#current = Object.freeze({
      ...before,
      labels: next.labels,
      logLevel: next.logLevel,
      registry: { ...next.registry, proxies: before.registry.proxies },
      liveRestore: next.liveRestore,
      shutdownTimeout: next.shutdownTimeout,
      features: next.features,
    });
    const changed = (name: string): boolean =>
      // The same type on both sides.
      JSON.stringify(before[name as keyof Configuration]) !==
      JSON.stringify(next[name as keyof Configuration]);
    const names: readonly string[] = reloadable;
    return Object.keys(next).filter((name) => !names.includes(name) && changed(name));
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
