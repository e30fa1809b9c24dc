import type { Ulimit } from '#api/types';
import type { Archiver } from '#archive';
import type { EventSink } from '#events';
import type { Images } from '#images';
import { KeyedLock, type Clock, type Logger } from '#kernel';
import type { CgroupHost } from '#linux';
import { LogShipping } from '#logs';
import type { Database } from '#metadata';
import type { Networks } from '#networks';
import type { Runtime } from '#runtime';
import type { Snapshotter } from '#snapshots';
import type { Volumes } from '#volumes';
import type { ContainerRecord } from './container-record.ts';
import { ContainerStore } from './container-store.ts';
import type { HostDefaults } from './create/host-config.ts';
import type { HostFacts } from './create/validate.ts';
import type { HardLimits } from './spec/rlimits.ts';
import { SeccompChoices } from './spec/seccomp-choice.ts';
import type { Announced } from './announced.ts';
import { RootMounts } from './start/root-mounts.ts';
import { Waiters } from './waiters.ts';

export interface ContainersOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  readonly images: Pick<Images, 'get' | 'find' | 'select' | 'collectGarbage'>;
  readonly snapshots: Snapshotter;
  readonly runtime: Runtime;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly archiver: Archiver;
  /** `<data root>/containers`: logs and the files of /etc. */
  readonly root: string;
  /** `<run folder>/bundles`: specs and root file systems of running containers. */
  readonly bundles: string;
  readonly host: EngineHost;
  readonly cgroups: CgroupHost;
  readonly defaults: HostDefaults & { readonly ulimits: readonly Ulimit[] };
  /** Ends with the daemon. */
  readonly signal: AbortSignal;
}

/** What the containers' side must know of the host it runs on. */
export interface EngineHost extends HostFacts {
  readonly cgroup2: boolean;
  readonly cgroupParent: string;
  readonly hardLimits: HardLimits;
  /** What the daemon may hand out: its own bounding set. */
  readonly capabilities: readonly string[];
  /** A static init (tini, catatonit) for `--init`, if the host has one. */
  readonly initPath: string | undefined;
  /** Folders of CDI files, those that win last. */
  readonly cdiSpecDirs: readonly string[];
  readonly apparmor: boolean;
  /** AppArmor profile for containers that ask for none of their own; undefined without AppArmor. */
  readonly apparmorProfile: string | undefined;
  readonly hostname: string;
  /** `--dns`, `--dns-search`, `--dns-opt` of the daemon. */
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** Address that `host-gateway` stands for; undefined: the gateway of the default bridge. */
  readonly hostGateway: string | undefined;
  /** For containers that ask for none: `default`, `unconfined`, or the JSON text of a profile. */
  readonly seccomp: string;
  /** Whether containers that say nothing of it have `no-new-privileges`. */
  readonly noNewPrivileges: boolean;
}

/** What the parts of this module share: collaborators, records, locks. */
export class ContainerContext {
  readonly options: ContainersOptions;
  readonly store: ContainerStore;
  readonly locks = new KeyedLock();
  readonly waiters = new Waiters();
  readonly roots = new RootMounts();
  readonly seccomp = new SeccompChoices();
  readonly shipping: LogShipping;
  /** Runs that have told of volumes and networks. */
  readonly announced = new Map<string, Announced>();
  /** Runs that are told to nobody: a build's commands. */
  readonly untold = new Set<string>();
  /** Set by start(): the folder that lies under every root file system. */
  baseLayer = '';
  /** Set once the daemon is ending: nothing is started any more. */
  stopping = false;

  constructor(options: ContainersOptions) {
    this.options = options;
    this.shipping = new LogShipping(options);
    this.store = new ContainerStore(options.db);
  }

  /** Publishes an event of a container with Docker's attributes: labels, image, name and `extra`. */
  publish(record: ContainerRecord, action: string, extra: Readonly<Record<string, string>> = {}): void {
    this.options.events.publish('container', action, record.id, {
      ...record.config.Labels,
      ...extra,
      image: record.config.Image ?? '',
      name: record.name,
    });
  }

  /** Changes a record in memory and on disk. */
  update(record: ContainerRecord, change: Partial<ContainerRecord>): ContainerRecord {
    const next = { ...record, ...change };
    this.store.put(next);
    return next;
  }
}
