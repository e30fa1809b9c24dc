/** What a setting's value looks like on the command line and in daemon.json. */
export type SettingKind = 'text' | 'flag' | 'number' | 'list' | 'pairs';

export interface Setting {
  /** Flag without dashes. */
  readonly flag: string;
  readonly short?: string;
  /** Key in daemon.json, where it differs from the flag. */
  readonly key?: string;
  /** The object in daemon.json that holds it, for those that do not stand at the top. */
  readonly parent?: string;
  readonly kind: SettingKind;
  readonly help: string;
}

const text = (flag: string, help: string, more: Partial<Setting> = {}): Setting => ({
  flag,
  kind: 'text',
  help,
  ...more,
});
const flag = (name: string, help: string, more: Partial<Setting> = {}): Setting => ({
  flag: name,
  kind: 'flag',
  help,
  ...more,
});
const number = (name: string, help: string): Setting => ({ flag: name, kind: 'number', help });
const list = (name: string, key: string, help: string, more: Partial<Setting> = {}): Setting => ({
  flag: name,
  key,
  kind: 'list',
  help,
  ...more,
});
const pairs = (name: string, key: string, help: string, more: Partial<Setting> = {}): Setting => ({
  flag: name,
  key,
  kind: 'pairs',
  help,
  ...more,
});

/** Every setting of the daemon, under dockerd's names. */
export const settings = {
  hosts: list('host', 'hosts', 'Socket to listen on: unix://PATH or tcp://ADDRESS:PORT', { short: 'H' }),
  dataRoot: text('data-root', 'Where images, containers and volumes are kept'),
  execRoot: text('exec-root', 'Where the state of this run of the host is kept'),
  pidfile: text('pidfile', 'File that holds the process id of the daemon', { short: 'p' }),
  group: text('group', 'Group that may use the unix socket', { short: 'G' }),
  debug: flag('debug', 'Log more', { short: 'D' }),
  logLevel: text('log-level', 'debug, info, warn, error or fatal', { short: 'l' }),
  logFormat: text('log-format', 'text or json'),
  rawLogs: flag('raw-logs', 'Accepted: the log has full timestamps and no colours'),
  experimental: flag('experimental', 'Say to clients that experimental features are on'),
  features: pairs('feature', 'features', 'Switch a feature: NAME=true or NAME=false'),
  labels: list('label', 'labels', 'Label of this daemon: KEY=VALUE'),
  tls: flag('tls', 'Use TLS on tcp sockets'),
  tlsVerify: flag('tlsverify', 'Use TLS and require a client certificate'),
  tlsCaCert: text('tlscacert', 'Certificate authority that client certificates must come from'),
  tlsCert: text('tlscert', 'Certificate of the daemon'),
  tlsKey: text('tlskey', 'Key of the certificate'),
  bridge: text('bridge', 'Name of the bridge of the default network', {
    short: 'b',
  }),
  bip: text('bip', 'Address and prefix length of the default bridge'),
  fixedCidr: text('fixed-cidr', 'Part of its subnet that containers get addresses from'),
  defaultAddressPools: list(
    'default-address-pool',
    'default-address-pools',
    'Pool of subnets for networks: base=CIDR,size=BITS',
  ),
  mtu: number('mtu', 'MTU of container links; 0 takes that of the default route'),
  defaultBindingIp: text('ip', 'Address that ports are published on when none is asked for'),
  ipForward: flag('ip-forward', 'Turn on IP forwarding where it is off (default true)'),
  ipMasq: flag('ip-masq', 'Translate the addresses of outgoing traffic (default true)'),
  ipForwardNoDrop: flag(
    'ip-forward-no-drop',
    'Accepted: the policy of the host’s FORWARD chain is never set',
  ),
  ip6tables: flag('ip6tables', 'Accepted with the value of --iptables'),
  userlandProxy: flag('userland-proxy', 'Accepted: loopback addresses work without a proxy process'),
  iptables: flag('iptables', 'Manage packet filter rules (default true)'),
  icc: flag('icc', 'Containers of the default bridge reach each other (default true)'),
  hostGatewayIps: list('host-gateway-ip', 'host-gateway-ips', 'Address that host-gateway stands for'),
  dns: list('dns', 'dns', 'DNS server of containers'),
  dnsSearch: list('dns-search', 'dns-search', 'DNS search domain of containers'),
  dnsOptions: list('dns-opt', 'dns-opts', 'Resolver option of containers'),
  insecureRegistries: list(
    'insecure-registry',
    'insecure-registries',
    'Registry (host or CIDR) without verified TLS',
  ),
  registryMirrors: list(
    'registry-mirror',
    'registry-mirrors',
    'Mirror tried first: of docker.io, or HOST=URL of another registry',
  ),
  registryCertificates: list(
    'registry-certs-dir',
    'registry-certs-dirs',
    'Folder of certificates by registry (default /etc/wharf/certs.d, /etc/docker/certs.d)',
  ),
  maxConcurrentDownloads: number('max-concurrent-downloads', 'Blobs that a pull fetches at once'),
  maxConcurrentUploads: number('max-concurrent-uploads', 'Layers that a push sends at once'),
  maxLayerSize: number('max-layer-size', 'Most bytes that one layer may unpack to (default 100 GB)'),
  maxDownloadAttempts: number('max-download-attempts', 'Attempts at each blob of a pull (default 5)'),
  httpProxy: text('http-proxy', 'Proxy for plain HTTP to registries', { parent: 'proxies' }),
  httpsProxy: text('https-proxy', 'Proxy for HTTPS to registries', { parent: 'proxies' }),
  noProxy: text('no-proxy', 'Hosts reached without a proxy, separated by commas', { parent: 'proxies' }),
  storageDriver: text('storage-driver', 'overlay2 or copy (default: what the data root can)', { short: 's' }),
  binGrace: text(
    'bin-grace',
    'How long pruned images and volumes can be brought back (default 72h; 0: not at all)',
  ),
  gc: flag('gc', 'Remove what is unused while the disk is low on space (default true)', {
    parent: 'gc',
    key: 'enabled',
  }),
  gcLowSpace: text('gc-low-space', 'Free space below which that begins (default 10%, at most 20GB)', {
    parent: 'gc',
    key: 'low-space',
  }),
  gcHighSpace: text('gc-high-space', 'Free space that it goes on to (default 15%, at most 30GB)', {
    parent: 'gc',
    key: 'high-space',
  }),
  gcInterval: text('gc-interval', 'Time between looks at the disk (default 1m)', {
    parent: 'gc',
    key: 'interval',
  }),
  gcMinAge: text('gc-min-age', 'Time since its last use in which an image stays (default 10m)', {
    parent: 'gc',
    key: 'min-age',
  }),
  gcTagged: flag('gc-tagged', 'Images with tags may be removed too', { parent: 'gc', key: 'tagged' }),
  gcTaggedImages: list('gc-tagged-image', 'tagged-images', 'Of these only those whose tags fit, e.g. ci/*', {
    parent: 'gc',
  }),
  builderGc: pairs(
    'builder-gc',
    'gc',
    'What is removed of the build cache by itself: enabled=BOOL, defaultReservedSpace=SIZE, …',
    { parent: 'builder' },
  ),
  builderEntitlements: pairs(
    'builder-entitlement',
    'entitlements',
    'What builds may be granted: network-host, security-insecure or device, =true or =false',
    { parent: 'builder' },
  ),
  logDriver: text('log-driver', 'Default log driver'),
  logOptions: pairs('log-opt', 'log-opts', 'Default log option: KEY=VALUE'),
  defaultUlimits: list('default-ulimit', 'default-ulimits', 'Default limit of containers: NAME=SOFT[:HARD]'),
  defaultRuntime: text('default-runtime', 'OCI runtime: crun, runc or a further one'),
  runtimes: pairs('add-runtime', 'runtimes', 'Further OCI runtime: NAME=PATH'),
  init: flag('init', 'Run an init in every container'),
  initPath: text('init-path', 'The init to run'),
  defaultShmSize: text('default-shm-size', 'Size of /dev/shm in containers'),
  defaultIpcMode: text('default-ipc-mode', 'private or shareable'),
  defaultCgroupnsMode: text('default-cgroupns-mode', 'private or host'),
  cgroupParent: text('cgroup-parent', "Parent of the containers' cgroups"),
  cdiSpecDirs: list('cdi-spec-dir', 'cdi-spec-dirs', 'Folder of CDI files (default /etc/cdi, /var/run/cdi)'),
  seccompProfile: text('seccomp-profile', 'File of the default seccomp profile, or "unconfined"'),
  noNewPrivileges: flag('no-new-privileges', 'Containers gain no privileges by set-uid programs by default'),
  execOptions: list('exec-opt', 'exec-opts', 'native.cgroupdriver=cgroupfs'),
  liveRestore: flag('live-restore', 'Keep containers running when the daemon stops (default true)'),
  shutdownTimeout: number(
    'shutdown-timeout',
    'Seconds that containers get to stop with --live-restore=false',
  ),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;
