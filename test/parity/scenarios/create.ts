import { faultsOfClients, refusedEarly } from '../causes.ts';
import { isObject } from '../compare.ts';
import type { Scenario } from '../scenario.ts';
import type { JsonRecord, Session } from '../session.ts';

/** What of an inspection is not as it is for a container without options. */
function changed(plain: unknown, found: unknown): unknown {
  if (!isObject(plain) || !isObject(found)) return found;
  const names = [...new Set([...Object.keys(plain), ...Object.keys(found)])];
  const differing = names.filter((name) => JSON.stringify(plain[name]) !== JSON.stringify(found[name]));
  return Object.fromEntries(differing.map((name) => [name, changed(plain[name], found[name])]));
}

const compared = (body: unknown): JsonRecord => {
  const { Config, HostConfig, Mounts, NetworkSettings, Path, Args } = body as JsonRecord;
  const { Hostname, ...config } = (Config ?? {}) as JsonRecord;
  const named = /^[0-9a-f]{12}$/.test(String(Hostname)) ? config : { ...config, Hostname };
  const networks = (NetworkSettings as JsonRecord | undefined)?.['Networks'];
  const mounts = (Mounts ?? []) as readonly JsonRecord[];
  const sorted = [...mounts].sort((a, b) => (String(a['Destination']) < String(b['Destination']) ? -1 : 1));
  return { Config: named, HostConfig, Mounts: sorted, Networks: networks, Path, Args };
};

const host = (HostConfig: JsonRecord): JsonRecord => ({ HostConfig });

/** Bodies by what they are about; the image is added. */
const cases: readonly (readonly [string, JsonRecord])[] = [
  ['nothing', {}],
  ['a command', { Cmd: ['echo', 'a b'] }],
  ['a command in one text', { Cmd: 'echo a' }],
  ['an entrypoint', { Entrypoint: ['/bin/sh', '-c'], Cmd: ['true'] }],
  ['an entrypoint in one text', { Entrypoint: '/bin/sh' }],
  ['an empty entrypoint', { Entrypoint: [''], Cmd: ['true'] }],
  ['an entrypoint alone', { Entrypoint: ['true'] }],
  ['empty lists', { Cmd: [], Entrypoint: [], Env: [], Volumes: {}, ExposedPorts: {}, Labels: {} }],
  ['names in other letters', { cmd: ['true'], LABELS: { a: 'b' }, hostconfig: { memory: 67108864 } }],
  ['variables', { Env: ['A=b', 'A=c', 'EMPTY=', 'PATH'] }],
  ['a broken variable', { Env: ['=x'] }],
  ['labels', { Labels: { a: 'b', 'com.example/x': '' } }],
  ['a user', { User: '1:2' }],
  ['a host name', { Hostname: 'name', Domainname: 'example.com' }],
  ['a bad host name', { Hostname: 'a_b c' }],
  [
    'terminal and input',
    { Tty: true, OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true },
  ],
  ['a working directory', { WorkingDir: '/tmp/./x/' }],
  ['a relative working directory', { WorkingDir: 'rel' }],
  ['a stop signal', { StopSignal: 'SIGINT', StopTimeout: 3 }],
  ['a stop signal by number', { StopSignal: '15' }],
  ['a stop signal that is none', { StopSignal: 'SIGFOO' }],
  ['ports', { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '90': {} } }],
  ['a port that is none', { ExposedPorts: { 'x/tcp': {} } }],
  ['a protocol that is none', { ExposedPorts: { '80/xyz': {} } }],
  ['volumes', { Volumes: { '/data': {}, '/more/': {} } }],
  ['a volume over the root', { Volumes: { '/': {} } }],
  ['a health check', { Healthcheck: { Test: ['CMD', 'true'], Interval: 2_000_000_000, Retries: 4 } }],
  ['a health check by shell', { Healthcheck: { Test: ['CMD-SHELL', 'true'], StartPeriod: 5_000_000_000 } }],
  ['no health check', { Healthcheck: { Test: ['NONE'] } }],
  ['a health check that is too quick', { Healthcheck: { Test: ['CMD', 'true'], Interval: 1 } }],
  ['a health check of negative tries', { Healthcheck: { Test: ['CMD', 'true'], Retries: -1 } }],
  ['a shell', { Shell: ['/bin/sh', '-c'] }],
  ['no network', { NetworkDisabled: true }],
  ['an address of hardware', { MacAddress: '02:42:ac:11:00:99' }],
  ['null everywhere', { Cmd: null, Env: null, Labels: null, HostConfig: null, NetworkingConfig: null }],
  ['empty options', host({})],
  [
    'what the command line sends',
    host({
      Binds: null,
      ContainerIDFile: '',
      LogConfig: { Type: '', Config: {} },
      NetworkMode: 'default',
      PortBindings: {},
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      AutoRemove: false,
      VolumeDriver: '',
      VolumesFrom: null,
      ConsoleSize: [0, 0],
      CapAdd: null,
      Dns: [],
      DnsOptions: [],
      DnsSearch: [],
      MemorySwappiness: -1,
      OomKillDisable: false,
      PidsLimit: 0,
      BlkioWeightDevice: [],
      Devices: [],
      Ulimits: [],
      ShmSize: 0,
      MaskedPaths: null,
      ReadonlyPaths: null,
    }),
  ],
  ['memory', host({ Memory: 64 << 20 })],
  ['memory and swap', host({ Memory: 64 << 20, MemorySwap: 96 << 20, MemoryReservation: 32 << 20 })],
  ['memory and swap without a bound', host({ Memory: 64 << 20, MemorySwap: -1 })],
  ['too little memory', host({ Memory: 1000 })],
  ['swap without memory', host({ MemorySwap: 64 << 20 })],
  ['less swap than memory', host({ Memory: 64 << 20, MemorySwap: 32 << 20 })],
  ['a reservation over memory', host({ Memory: 64 << 20, MemoryReservation: 96 << 20 })],
  ['swappiness', host({ MemorySwappiness: 10 })],
  ['swappiness beyond', host({ MemorySwappiness: 101 })],
  ['no killing', host({ OomKillDisable: true, Memory: 64 << 20 })],
  ['a score', host({ OomScoreAdj: 100 })],
  ['a score beyond', host({ OomScoreAdj: 2000 })],
  ['shares', host({ CpuShares: 512 })],
  ['negative shares', host({ CpuShares: -1 })],
  ['a quota', host({ CpuPeriod: 50_000, CpuQuota: 25_000 })],
  ['a quota that is too small', host({ CpuQuota: 10 })],
  ['a period that is too long', host({ CpuPeriod: 2_000_000 })],
  ['processors', host({ NanoCpus: 500_000_000 })],
  ['processors beside a quota', host({ NanoCpus: 500_000_000, CpuQuota: 25_000 })],
  ['more processors than there are', host({ NanoCpus: 99_000_000_000_000 })],
  ['a set of processors', host({ CpusetCpus: '0', CpusetMems: '0' })],
  ['a set of processors that are not there', host({ CpusetCpus: '999' })],
  ['a set that is none', host({ CpusetCpus: 'a-b' })],
  ['a number of processes', host({ PidsLimit: 50 })],
  ['any number of processes', host({ PidsLimit: -1 })],
  ['a weight that is too small', host({ BlkioWeight: 5 })],
  ['rates of devices', host({ BlkioDeviceReadBps: [{ Path: '/dev/null', Rate: 1024 }] })],
  ['limits', host({ Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }] })],
  ['a limit that is none', host({ Ulimits: [{ Name: 'bogus', Soft: 1, Hard: 2 }] })],
  ['a soft limit over the hard one', host({ Ulimits: [{ Name: 'nofile', Soft: 300, Hard: 200 }] })],
  [
    'devices',
    host({
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/nothing', CgroupPermissions: 'rwm' }],
    }),
  ],
  ['rules for devices', host({ DeviceCgroupRules: ['c 1:3 rwm'] })],
  ['a rule that is none', host({ DeviceCgroupRules: ['bogus'] })],
  ['kernel settings', host({ Sysctls: { 'net.ipv4.ip_forward': '1' } })],
  ['capabilities', host({ CapAdd: ['NET_ADMIN', 'cap_sys_admin'], CapDrop: ['MKNOD'] })],
  ['all capabilities', host({ CapAdd: ['all'] })],
  ['a capability that is none', host({ CapAdd: ['NOPE'] })],
  ['privileged', host({ Privileged: true })],
  ['no new privileges', host({ SecurityOpt: ['no-new-privileges'] })],
  ['unconfined', host({ SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'] })],
  ['a security option that is none', host({ SecurityOpt: ['bogus'] })],
  ['a security option of a name that is none', host({ SecurityOpt: ['bogus=x'] })],
  ['masked paths', host({ MaskedPaths: ['/proc/kcore'], ReadonlyPaths: [] })],
  ['a root that is read only', host({ ReadonlyRootfs: true })],
  ['memory as files', host({ Tmpfs: { '/mem': 'size=1m,mode=700' } })],
  ['memory as files at no place', host({ Tmpfs: { mem: '' } })],
  ['memory as files with an option that is none', host({ Tmpfs: { '/mem': 'bogus=1' } })],
  ['shared memory', host({ ShmSize: 1 << 20 })],
  ['negative shared memory', host({ ShmSize: -1 })],
  ['shared namespaces', host({ IpcMode: 'host', PidMode: 'host', UTSMode: 'host', CgroupnsMode: 'private' })],
  ['an IPC mode that is none', host({ IpcMode: 'bad' })],
  ['a PID mode that is none', host({ PidMode: 'bad' })],
  ['a UTS mode that is none', host({ UTSMode: 'bad' })],
  ['a cgroup mode that is none', host({ CgroupnsMode: 'bad' })],
  ['a user mode that is none', host({ UsernsMode: 'bad' })],
  ['shareable IPC', host({ IpcMode: 'shareable' })],
  ['the PIDs of a container that is missing', host({ PidMode: 'container:nope' })],
  ['the IPC of a container that is missing', host({ IpcMode: 'container:nope' })],
  ['groups', host({ GroupAdd: ['daemon', '42'] })],
  [
    'names',
    host({
      Dns: ['1.2.3.4'],
      DnsSearch: ['example.com'],
      DnsOptions: ['ndots:2'],
      ExtraHosts: ['a:1.2.3.4'],
    }),
  ],
  ['a name server that is none', host({ Dns: ['x'] })],
  ['a host that is none', host({ ExtraHosts: ['a'] })],
  ['a host without an address', host({ ExtraHosts: ['a:x'] })],
  ['an init', host({ Init: true })],
  ['no init', host({ Init: false })],
  ['removal', host({ AutoRemove: true })],
  ['removal and restart', host({ AutoRemove: true, RestartPolicy: { Name: 'always' } })],
  ['restart', host({ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } })],
  ['restart always', host({ RestartPolicy: { Name: 'always' } })],
  ['restart without a name', host({ RestartPolicy: { Name: '', MaximumRetryCount: 3 } })],
  ['restart always with a count', host({ RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } })],
  ['restart with a negative count', host({ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -1 } })],
  ['a restart that is none', host({ RestartPolicy: { Name: 'bad' } })],
  ['annotations', host({ Annotations: { 'com.example': 'x' } })],
  ['an annotation without a name', host({ Annotations: { '': 'x' } })],
  ['log options', host({ LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } } })],
  ['a log option that is none', host({ LogConfig: { Type: 'json-file', Config: { bogus: 'x' } } })],
  ['a log size that is none', host({ LogConfig: { Type: 'json-file', Config: { 'max-size': 'x' } } })],
  ['no log', host({ LogConfig: { Type: 'none' } })],
  ['a runtime that is none', host({ Runtime: 'bogus' })],
  ['an isolation that is none', host({ Isolation: 'hyperv' })],
  ['the default isolation', host({ Isolation: 'default' })],
  ['a size of the console', host({ ConsoleSize: [20, 30] })],
  ['a parent of the cgroup', host({ CgroupParent: '/parity' })],
  ['a bind', host({ Binds: ['/usr:/mnt:ro,rslave'] })],
  ['a bind of a mode that is none', host({ Binds: ['/nope:/x:zzz'] })],
  ['a bind without a destination', host({ Binds: ['/usr'] })],
  ['a bind to a relative place', host({ Binds: ['/usr:x'] })],
  ['a bind over the root', host({ Binds: ['/usr:/'] })],
  ['a bind from a relative place', host({ Binds: ['./x:/mnt'] })],
  ['two binds at one place', host({ Binds: ['/usr:/mnt', '/etc:/mnt'] })],
  ['a named volume', host({ Binds: ['named:/data:nocopy'] })],
  ['a volume of a bad name', host({ Binds: ['a b:/data'] })],
  ['mounts', host({ Mounts: [{ Type: 'bind', Source: '/usr', Target: '/mnt', ReadOnly: true }] })],
  ['a mount of a volume', host({ Mounts: [{ Type: 'volume', Source: 'vol', Target: '/data' }] })],
  ['a mount of a volume without a name', host({ Mounts: [{ Type: 'volume', Target: '/data' }] })],
  [
    'a mount of memory',
    host({ Mounts: [{ Type: 'tmpfs', Target: '/mem', TmpfsOptions: { SizeBytes: 1 << 20 } }] }),
  ],
  ['a mount from nowhere', host({ Mounts: [{ Type: 'bind', Source: '/nope1', Target: '/x' }] })],
  ['a mount that is none', host({ Mounts: [{ Type: 'bogus', Target: '/x' }] })],
  ['a mount to nowhere', host({ Mounts: [{ Type: 'bind', Source: '/usr' }] })],
  ['a mount to a relative place', host({ Mounts: [{ Type: 'bind', Source: '/usr', Target: 'x' }] })],
  ['volumes from what is missing', host({ VolumesFrom: ['nope'] })],
  ['volumes from others', host({ VolumesFrom: ['plain:ro'] })],
  ['volumes from others in a mode that is none', host({ VolumesFrom: ['plain:zzz'] })],
  [
    'published ports',
    { ExposedPorts: { '80/tcp': {} }, ...host({ PortBindings: { '80/tcp': [{ HostPort: '18080' }] } }) },
  ],
  ['a published port that is none', host({ PortBindings: { '80/tcp': [{ HostPort: 'x' }] } })],
  ['a published port beyond', host({ PortBindings: { '80/tcp': [{ HostPort: '70000' }] } })],
  [
    'a published address that is none',
    host({ PortBindings: { '80/tcp': [{ HostIp: 'x', HostPort: '80' }] } }),
  ],
  ['a published protocol that is none', host({ PortBindings: { '80/xyz': [{}] } })],
  ['all ports', host({ PublishAllPorts: true })],
  ['the network of the host', host({ NetworkMode: 'host' })],
  ['no network at all', host({ NetworkMode: 'none' })],
  ['the default network', host({ NetworkMode: 'default' })],
  ['no mode', host({ NetworkMode: '' })],
  ['the network of a container', host({ NetworkMode: 'container:plain' })],
  ['the network of a container and a name', { Hostname: 'x', ...host({ NetworkMode: 'container:plain' }) }],
  ['the network of a container and ports', host({ NetworkMode: 'container:plain', PublishAllPorts: true })],
  ['a network that is missing', host({ NetworkMode: 'nonet' })],
  ['links and the host', host({ NetworkMode: 'host', Links: ['plain:x'] })],
  ['a network of its own', host({ NetworkMode: 'own' })],
  [
    'a network of its own with names',
    {
      ...host({ NetworkMode: 'own' }),
      NetworkingConfig: { EndpointsConfig: { own: { Aliases: ['x', 'y'], DriverOpts: { a: 'b' } } } },
    },
  ],
  [
    'an address of its own',
    {
      ...host({ NetworkMode: 'own' }),
      NetworkingConfig: { EndpointsConfig: { own: { IPAMConfig: { IPv4Address: '10.77.0.9' } } } },
    },
  ],
  [
    'an address that is none',
    {
      ...host({ NetworkMode: 'own' }),
      NetworkingConfig: { EndpointsConfig: { own: { IPAMConfig: { IPv4Address: 'x' } } } },
    },
  ],
  ['names in the default network', { NetworkingConfig: { EndpointsConfig: { bridge: { Aliases: ['x'] } } } }],
  ['a network beside that of the mode', { NetworkingConfig: { EndpointsConfig: { own: {} } } }],
  ['options of storage', host({ StorageOpt: { bogus: 'x' } })],
  ['real time', host({ CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 })],
  ['requests for devices', host({ DeviceRequests: [{ Driver: 'bogus', Count: 1 }] })],
  ['windows only', host({ CpuCount: 1, CpuPercent: 2, IOMaximumIOps: 3, IOMaximumBandwidth: 4 })],
  ['a wrong type', { Cmd: 5 }],
  ['a wrong type below', host({ Memory: 'much' })],
  ['an unknown field', { Bogus: 1 }],
];

async function createCases(engine: Session, plain: JsonRecord): Promise<void> {
  for (const [step, body] of cases) {
    const request = { Image: 'busybox', ...body };
    const { Id } = await engine.json(step, 'POST', '/containers/create?name=cr', { body: request });
    if (typeof Id !== 'string') continue;
    engine.name(Id, 'cr');
    await engine.ask(`${step}, seen`, 'GET', '/containers/cr/json', {
      pick: (found) => changed(compared(plain), compared(found)),
    });
    await engine.quiet('DELETE', '/containers/cr?force=1&v=1');
  }
}

/** Every group of options, and how inspect shows it. */
export const createScenario: Scenario = {
  operation: 'ContainerCreate',
  differences: [
    ...faultsOfClients(
      'a bind to a relative place',
      'a security option that is none',
      'a bind of a mode that is none',
      'a bind over the root',
    ),
    ...refusedEarly(
      'a volume over the root',
      'a user mode that is none',
      'a name server that is none',
      'a published protocol that is none',
    ),
    {
      step: 'a bind without a destination, seen',
      path: 'body.Mounts[0].Name',
      cause: 'the name of a volume is known from the beginning',
    },
    {
      step: 'the network of a container, seen',
      path: 'body.Config',
      cause: 'it has the host name of the other container, and none of its own',
    },
  ],
  run: async (engine) => {
    await engine.quiet('POST', '/networks/create', {
      Name: 'own',
      IPAM: { Config: [{ Subnet: '10.77.0.0/24' }] },
    });
    await engine.create('plain', { Volumes: { '/data': {} } });
    await engine.create('base');
    const plain = await engine.quiet('GET', '/containers/base/json');
    await createCases(engine, plain);
    const at = async (step: string, query: string, body: unknown = { Image: 'busybox' }): Promise<void> => {
      await engine.ask(step, 'POST', `/containers/create${query}`, { body });
    };
    await at('a name that is taken', '?name=plain');
    await at('a name with a slash', '?name=/slash');
    await at('a name with bad characters', '?name=a%20b');
    await at('a name of one letter', '?name=a');
    await at('no name', '');
    await at('an image that is missing', '?name=x1', { Image: 'nosuch' });
    await at('an image that is no name', '?name=x1', { Image: 'BAD:x' });
    await at('no image', '?name=x1', {});
    await at('an empty image', '?name=x1', { Image: '' });
    await at('null', '?name=x1', null);
    await at('a list', '?name=x1', []);
    await at('a platform', '?name=x2&platform=linux/amd64');
    await at('a platform that is none', '?name=x3&platform=bogus');
    await at('a platform that is not there', '?name=x3&platform=linux/s390x');
    await engine.ask('no body', 'POST', '/containers/create?name=x4');
    const headers = { 'Content-Type': 'application/json' };
    for (const [step, text] of [
      ['no JSON', '{'],
      ['two values', '{"Image":"busybox"}{}'],
      ['JSON and more', '{"Image":"busybox"} x'],
    ] as const) {
      await engine.ask(step, 'POST', '/containers/create?name=x4', { body: Buffer.from(text), headers });
    }
    await engine.ask('a type that is not JSON', 'POST', '/containers/create?name=x4', {
      body: Buffer.from('{"Image":"busybox"}'),
      headers: { 'Content-Type': 'text/plain' },
    });
  },
};
