/** Wire names of the Engine API are kept where they are stored as given (options, labels). */
export interface IpamPool {
  /** CIDR */
  readonly subnet: string;
  readonly ipRange?: string;
  readonly gateway?: string;
  readonly auxAddresses?: Readonly<Record<string, string>>;
}

export interface NetworkSpec {
  readonly name: string;
  /** default `bridge` */
  readonly driver?: string;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly enableIPv4?: boolean;
  readonly enableIPv6?: boolean;
  readonly ipam?: {
    readonly driver?: string;
    readonly options?: Readonly<Record<string, string>>;
    readonly pools?: readonly IpamPool[];
  };
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly driver: 'bridge' | 'host' | 'none';
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIPv4: boolean;
  readonly enableIPv6: boolean;
  readonly ipamDriver: string;
  readonly ipamOptions: Readonly<Record<string, string>>;
  /** Pools with gateways filled in. */
  readonly pools: readonly IpamPool[];
  /** Pools as inspect shows them: as they were asked for, or what was chosen where none were. */
  readonly ipamConfig: readonly IpamPool[];
  /** Subnets the user chose: endpoints may ask for addresses in these only. */
  readonly requestedSubnets: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: bigint;
}

export interface PortRequest {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly containerPort: number;
  /** '' or undefined: every address, IPv4 and IPv6 */
  readonly hostIp?: string;
  /** undefined: any free port of the ephemeral range; a range is tried in order */
  readonly hostPort?: { readonly first: number; readonly last: number };
}

/** A port as published, one per host address (0.0.0.0 and :: are two). */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly containerPort: number;
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface EndpointSpec {
  readonly aliases?: readonly string[];
  readonly links?: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  /** Further addresses of its interface: 169.254.0.0/16 or fe80::/64. */
  readonly linkLocal?: readonly string[];
  readonly macAddress?: string;
  readonly driverOptions?: Readonly<Record<string, string>>;
  readonly gatewayPriority?: number;
}

/** A container's place in a network while it runs. */
export interface Endpoint {
  readonly id: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly containerId: string;
  readonly interfaceName: string;
  readonly macAddress: string;
  readonly ipv4?: { readonly address: string; readonly prefixLength: number; readonly gateway?: string };
  readonly ipv6?: { readonly address: string; readonly prefixLength: number; readonly gateway?: string };
  /** Names it answers to in the network's DNS. */
  readonly dnsNames: readonly string[];
}

/** A container's network namespace, bind-mounted at `path` until it is closed. */
export interface Sandbox {
  readonly containerId: string;
  readonly path: string;
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
}

export interface SandboxSpec {
  readonly containerId: string;
  readonly containerName: string;
  readonly hostname: string;
  /** In order; the first with the highest gatewayPriority gives the default route. Empty: loopback only (`none`). */
  readonly endpoints: readonly { readonly network: string; readonly spec: EndpointSpec }[];
  readonly ports: readonly PortRequest[];
  /** Upstream resolvers for 127.0.0.11; default: the host's. */
  readonly dns?: readonly string[];
  /** No events are told of it: it belongs to no container. */
  readonly isSilent?: boolean;
}

/** Networks and the containers' places in them. Persistent; start() rebuilds what the host lost. */
export interface Networks extends AsyncDisposable {
  /** Makes the predefined networks bridge, host and none; reconciles links, rules and sandboxes with `live` containers. */
  start(live: ReadonlySet<string>): Promise<void>;
  create(spec: NetworkSpec): Promise<NetworkRecord>;
  find(idOrName: string): NetworkRecord | undefined;
  /** By id, name or unique id prefix. Throws notFound `network X not found`. */
  get(idOrName: string): NetworkRecord;
  list(): readonly NetworkRecord[];
  /** Throws conflict while endpoints exist, permissionDenied for predefined ones. */
  remove(idOrName: string): Promise<void>;
  /** Live endpoints of a network. */
  endpoints(networkId: string): readonly Endpoint[];
  /** Makes the namespace, links, addresses, DNS and published ports; on failure nothing is left. */
  openSandbox(spec: SandboxSpec): Promise<Sandbox>;
  findSandbox(containerId: string): Sandbox | undefined;
  /** Adds an endpoint to an open sandbox. */
  connect(containerId: string, network: string, spec: EndpointSpec): Promise<Endpoint>;
  disconnect(containerId: string, network: string): Promise<void>;
  /** Gives everything back. Idempotent. */
  closeSandbox(containerId: string): Promise<void>;
  /** A container was renamed: DNS answers the new name. */
  rename(containerId: string, name: string): void;
}
