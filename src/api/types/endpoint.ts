export interface EndpointIPAMConfig {
  readonly IPv4Address?: string;
  readonly IPv6Address?: string;
  readonly LinkLocalIPs?: readonly string[] | null;
}

/** A container's place in a network: what was asked for, and, in answers, what it got. */
export interface EndpointSettings {
  readonly IPAMConfig?: EndpointIPAMConfig | null;
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly MacAddress?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly GwPriority?: number;
  readonly NetworkID?: string;
  readonly EndpointID?: string;
  readonly Gateway?: string;
  readonly IPAddress?: string;
  readonly IPPrefixLen?: number;
  readonly IPv6Gateway?: string;
  readonly GlobalIPv6Address?: string;
  readonly GlobalIPv6PrefixLen?: number;
  readonly DNSNames?: readonly string[] | null;
}

export interface NetworkingConfig {
  /** By network name or id. */
  readonly EndpointsConfig?: Readonly<Record<string, EndpointSettings | null>> | null;
}
