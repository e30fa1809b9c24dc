import { PassThrough, Readable, type Duplex } from 'node:stream';
import type { ContainerRecord, ExecRecord } from '#containers';
import type { EventMessage } from '#events';
import type { ImageRecord } from '#images';
import { notFound, systemClock } from '#kernel';
import type { NetworkRecord } from '#networks';
import type { Digest } from '#oci';
import type { VolumeRecord } from '#volumes';
import type { Backends, ContainersBackend, SystemFacts } from '../backends.ts';
import { fakeDisk } from './disk.ts';

/** What a test puts in and sees of backends that hold everything in memory. */
export interface FakeEngine {
  readonly backends: Backends;
  readonly containers: ContainerRecord[];
  readonly execs: ExecRecord[];
  readonly images: ImageRecord[];
  readonly networks: NetworkRecord[];
  readonly volumes: VolumeRecord[];
  readonly events: EventMessage[];
  /** What was called, with its arguments. */
  readonly calls: (readonly [name: string, ...args: unknown[]])[];
  /** Replaces operations of the containers. */
  override(operations: Partial<ContainersBackend>): void;
}

const imageId = `sha256:${'a'.repeat(64)}` as Digest;

export function fakeImage(fields: Partial<ImageRecord> = {}): ImageRecord {
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: imageId, size: 100 };
  return {
    id: imageId,
    target: descriptor,
    manifest: descriptor,
    config: {
      os: 'linux',
      architecture: 'amd64',
      created: '2026-11-21T23:23:46.834676449Z',
      config: { Cmd: ['sh'], Labels: { l: '1' } },
      rootfs: { type: 'layers', diff_ids: [imageId] },
      history: [{ created: '2026-11-21T23:23:46.834676449Z', comment: 'Imported from -' }],
    },
    chainId: imageId,
    tags: ['busybox:latest'],
    digests: [],
    size: 1_982_305,
    lastTaggedAt: 1_795_303_426_836_095_728n,
    ...fields,
  };
}

export function fakeContainer(fields: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    id: '1c90ccdbf3a09af7a15c7979d58873a9ceb45227346aa2d011a86ebdc78e7cd5',
    name: 'web',
    createdAt: 1_795_303_427_123_097_193n,
    imageName: 'busybox',
    imageId,
    config: { Hostname: '1c90ccdbf3a0', Cmd: ['sleep', '1000'], Image: 'busybox', Labels: { x: 'y' } },
    hostConfig: { NetworkMode: 'bridge' },
    endpoints: { bridge: {} },
    mounts: [],
    state: { status: 'running', pid: 42, startedAt: 1_795_303_427_178_285_555n, paused: false },
    restartCount: 0,
    stoppedByUser: false,
    ...fields,
  };
}

export function fakeNetwork(fields: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    id: '4'.repeat(64),
    name: 'bridge',
    driver: 'bridge',
    internal: false,
    attachable: false,
    enableIPv4: true,
    enableIPv6: false,
    ipamDriver: 'default',
    ipamOptions: {},
    pools: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }],
    ipamConfig: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }],
    requestedSubnets: [],
    options: {},
    labels: {},
    createdAt: 1_795_303_426_990_133_191n,
    ...fields,
  };
}

const facts: SystemFacts = {
  ID: 'test',
  Driver: 'overlay2',
  DriverStatus: [['Backing Filesystem', 'extfs']],
  DockerRootDir: '/var/lib/wharf',
  Plugins: {
    Volume: ['local'],
    Network: ['bridge', 'host', 'null'],
    Authorization: null,
    Log: ['json-file', 'none'],
  },
  MemoryLimit: true,
  SwapLimit: true,
  CpuCfsPeriod: true,
  CpuCfsQuota: true,
  CPUShares: true,
  CPUSet: true,
  PidsLimit: true,
  OomKillDisable: true,
  IPv4Forwarding: true,
  Debug: false,
  NFd: 37,
  NGoroutines: 59,
  LoggingDriver: 'json-file',
  CgroupDriver: 'cgroupfs',
  CgroupVersion: '1',
  KernelVersion: '6.18',
  OperatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  OSVersion: '12',
  Architecture: 'x86_64',
  NCPU: 2,
  MemTotal: 25_276_502_016,
  IndexServerAddress: 'https://index.docker.io/v1/',
  RegistryConfig: { InsecureRegistryCIDRs: ['127.0.0.0/8'], IndexConfigs: {}, Mirrors: null },
  HttpProxy: '',
  HttpsProxy: '',
  NoProxy: '',
  Name: 'host',
  Labels: [],
  Runtimes: { crun: { path: 'crun', status: { features: '{}' } } },
  DefaultRuntime: 'crun',
  LiveRestoreEnabled: true,
  InitBinary: 'docker-init',
  ContainerdCommit: { ID: '' },
  RuncCommit: { ID: '1.8' },
  InitCommit: { ID: 'N/A' },
  SecurityOptions: ['name=seccomp,profile=builtin'],
  FirewallBackend: { Driver: 'nftables' },
  CDISpecDirs: null,
  Containerd: null,
  Warnings: null,
};

type Call = readonly [name: string, ...args: unknown[]];
type Note = (name: string) => (...args: unknown[]) => Promise<void>;
type Store = Pick<FakeEngine, 'containers' | 'execs' | 'images' | 'networks' | 'volumes' | 'events'>;

/** Backends in memory: look-ups work, everything else is recorded and does nothing. */
export function fakeEngine(): FakeEngine {
  const store: Store = { containers: [], execs: [], images: [], networks: [], volumes: [], events: [] };
  const calls: Call[] = [];
  const note: Note =
    (name) =>
    async (...args) => {
      calls.push([name, ...args]);
      await Promise.resolve();
    };
  const containers = fakeContainers(store, note, calls);
  const backends: Backends = {
    containers,
    storageDriver: 'overlay2',
    clock: systemClock,
    images: fakeImages(store, note),
    networks: fakeNetworks(store, note),
    volumes: fakeVolumes(store, note),
    disk: fakeDisk(store, note),
    events: {
      publish: () => undefined,
      async *subscribe({ until, signal }) {
        yield* store.events;
        if (until !== undefined) return;
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve, { once: true });
        });
      },
    },
    system: {
      info: () => facts,
      version: () => ({
        Platform: { Name: 'Wharf' },
        GitCommit: 'abc',
        GoVersion: '',
        Os: 'linux',
        Arch: 'amd64',
      }),
    },
    auth: { login: async () => Promise.resolve(''), search: async () => Promise.resolve([]) },
  };
  return { ...store, backends, calls, override: (operations) => Object.assign(containers, operations) };
}

const silent = {
  apparmorProfile: () => '',
  detached: () => undefined,
  attached: () => undefined,
  committed: () => undefined,
  changes: async () => Promise.resolve([]),
  size: async () => Promise.resolve({ sizeRw: 1, sizeRootFs: 2 }),
};

function fakeContainers({ containers, execs }: Store, note: Note, calls: Call[]): ContainersBackend {
  const get = (ref: string): ContainerRecord => {
    const name = ref.replace(/^\//, '');
    const found = containers.find((record) => record.id.startsWith(ref) || record.name === name);
    if (!found || ref === '') throw notFound(`No such container: ${ref}`);
    return found;
  };
  const getExec = (id: string): ExecRecord => {
    const found = execs.find((exec) => exec.id === id);
    if (!found) throw notFound(`No such exec instance: ${id}`);
    return found;
  };
  /** Notes an operation on a container that must exist. */
  const act = (name: string) => {
    const noted = note(name);
    return async (ref: string, ...args: unknown[]): Promise<void> => {
      get(ref);
      await noted(ref, ...args);
    };
  };
  const noFile = notFound('Could not find the file /nope in container web');
  return {
    create: async (request, options) => {
      await note('create')(request, options);
      return { id: 'c'.repeat(64), warnings: [] };
    },
    get,
    list: () => containers,
    network: () => undefined,
    logPath: () => '',
    execIds: () => [],
    start: act('start'),
    stop: act('stop'),
    restart: act('restart'),
    kill: act('kill'),
    pause: act('pause'),
    unpause: act('unpause'),
    rename: act('rename'),
    remove: act('remove'),
    update: async (...args) => {
      await act('update')(...args);
      return { warnings: [] };
    },
    resize: act('resize'),
    wait: (ref) => {
      get(ref);
      return { result: Promise.resolve({ statusCode: 3 }) };
    },
    top: async () => Promise.resolve({ Titles: ['PID'], Processes: [['1']] }),
    clearLogs: act('clearLogs'),
    logs: (ref) => {
      get(ref);
      return Readable.from([]);
    },
    attach: async (ref) => {
      get(ref);
      return Promise.resolve(emptyStream());
    },
    ...silent,
    exportFiles: async () => Promise.resolve(Readable.from([Buffer.from('tar')])),
    statPath: async () => Promise.reject(noFile),
    readArchive: async () => Promise.reject(noFile),
    writeArchive: async (ref, path, archive) => {
      await note('writeArchive')(ref, path);
      for await (const chunk of archive) calls.push(['chunk', Buffer.from(chunk).toString()]);
    },
    createExec: async (ref, config) => {
      await act('createExec')(ref, config);
      return 'e'.repeat(64);
    },
    getExec,
    startExec: async (id, { accept }) => {
      getExec(id);
      await accept?.();
      return emptyStream();
    },
    resizeExec: note('resizeExec'),
    connectNetwork: note('connectNetwork'),
    disconnectNetwork: note('disconnectNetwork'),
  };
}

function fakeImages({ images }: Store, note: Note): Backends['images'] {
  const find = (ref: string): ImageRecord | undefined =>
    images.find(({ id, tags }) => id === ref || tags.includes(ref) || tags.includes(`${ref}:latest`));
  return {
    find,
    get: (ref) => {
      const found = find(ref);
      if (!found) throw notFound(`No such image: ${ref.includes(':') ? ref : `${ref}:latest`}`);
      return found;
    },
    list: () => images,
    select: async (ref) => {
      const found = find(ref);
      return Promise.resolve(found ?? Promise.reject(notFound(`No such image: ${ref}`)));
    },
    manifests: async () => Promise.resolve([]),
    attestations: () => Promise.resolve([]),
    sharedSizes: () => new Map(),
    hasChildren: () => false,
    inspectDistribution: async (ref) => Promise.reject(notFound(`No such image: ${ref}`)),
    folders: () => [],
    tag: (source, target) => void note('tag')(source, target),
    remove: async (ref) => {
      await note('removeImage')(ref);
      return [{ Untagged: ref }];
    },
    pull: note('pull'),
    push: note('push'),
    load: note('load'),
    save: async () => Promise.resolve(Readable.from([Buffer.from('tar')])),
    import: async () => Promise.resolve(imageId),
    commit: async (spec) => {
      await note('commit')(spec);
      return imageId;
    },
    history: () => [],
    verify: async () => Promise.resolve([]),
    collectGarbage: async () => Promise.resolve({ removed: [], bytes: 0 }),
  };
}

function fakeNetworks({ networks }: Store, note: Note): Backends['networks'] {
  const find = (ref: string): NetworkRecord | undefined =>
    networks.find(({ id, name }) => name === ref || id === ref);
  return {
    find,
    get: (ref) => {
      const found = find(ref);
      if (!found) throw notFound(`network ${ref} not found`);
      return found;
    },
    create: async (spec) => {
      await note('createNetwork')(spec);
      return fakeNetwork({ name: spec.name });
    },
    list: () => networks,
    remove: note('removeNetwork'),
    endpoints: () => [],
  };
}

function fakeVolumes({ volumes }: Store, note: Note): Backends['volumes'] {
  const find = (name: string): VolumeRecord | undefined => volumes.find((volume) => volume.name === name);
  return {
    find,
    get: (name) => {
      const found = find(name);
      if (!found) throw notFound(`get ${name}: no such volume`);
      return found;
    },
    create: async (spec) => {
      await note('createVolume')(spec);
      return fakeVolume({ name: spec.name ?? 'v'.repeat(64) });
    },
    list: () => volumes,
    remove: note('removeVolume'),
    setLocked: async (name, locked) => {
      await note('setLocked')(name, locked);
      return { ...fakeVolume({ name }), locked };
    },
  };
}

export function fakeVolume(fields: Partial<VolumeRecord> = {}): VolumeRecord {
  return {
    name: 'data',
    driver: 'local',
    mountpoint: '/var/lib/wharf/volumes/data/_data',
    labels: {},
    options: {},
    anonymous: false,
    createdAt: 1_795_303_427_123_097_193n,
    locked: false,
    ...fields,
  };
}

/** Streams of something that says nothing and has ended. */
function emptyStream(): Duplex {
  const stream = new PassThrough();
  stream.end();
  return stream;
}
