import type { EndpointSettings } from './endpoint.ts';

export interface IPAMConfig {
  /** CIDR */
  readonly Subnet?: string;
  readonly IPRange?: string;
  readonly Gateway?: string;
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>> | null;
  /** Spelled so by clients and by engines before 1.53. */
  readonly AuxAddress?: Readonly<Record<string, string>> | null;
}

export interface IPAM {
  readonly Driver?: string;
  readonly Config?: readonly IPAMConfig[] | null;
  readonly Options?: Readonly<Record<string, string>> | null;
}

/** A container in the inspection of a network. */
export interface EndpointResource {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  /** CIDR, or '' */
  readonly IPv4Address: string;
  readonly IPv6Address: string;
}

export interface ConfigReference {
  readonly Network: string;
}

export interface PeerInfo {
  readonly Name: string;
  readonly IP: string;
}

export interface Network {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: string;
  readonly Driver: string;
  readonly EnableIPv4: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM: IPAM;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: ConfigReference;
  readonly ConfigOnly: boolean;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Peers?: readonly PeerInfo[];
}

/** One entry of GET /networks; before 1.28 with Containers. */
export type NetworkSummary = Network;

export interface SubnetStatus {
  readonly IPsInUse: number;
  readonly DynamicIPsAvailable: number;
}

export interface NetworkStatus {
  readonly IPAM?: { readonly Subnets?: Readonly<Record<string, SubnetStatus>> };
}

export interface NetworkInspect extends Network {
  /** By container id. */
  readonly Containers: Readonly<Record<string, EndpointResource>>;
  readonly Status?: NetworkStatus;
}

/** The body of POST /networks/create. */
export interface NetworkCreateRequest {
  readonly Name?: string;
  readonly Driver?: string;
  readonly Scope?: string;
  readonly Internal?: boolean;
  readonly Attachable?: boolean;
  readonly Ingress?: boolean;
  readonly ConfigOnly?: boolean;
  readonly ConfigFrom?: ConfigReference | null;
  readonly IPAM?: IPAM | null;
  readonly EnableIPv4?: boolean | null;
  readonly EnableIPv6?: boolean | null;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  /** Ignored since 1.44: names are always unique. */
  readonly CheckDuplicate?: boolean;
}

export interface NetworkCreateResponse {
  readonly Id: string;
  readonly Warning: string;
}

export interface NetworkConnectRequest {
  readonly Container?: string;
  readonly EndpointConfig?: EndpointSettings | null;
}

export interface NetworkDisconnectRequest {
  readonly Container?: string;
  readonly Force?: boolean;
}

export interface NetworksPruneResponse {
  readonly NetworksDeleted: readonly string[] | null;
}
