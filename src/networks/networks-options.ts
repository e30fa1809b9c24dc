import type { Clock, Logger } from '#kernel';
import type { Database } from '#metadata';
import type { AddressPool } from './ipam/pool-choice.ts';

/** Where networks report what happens to them; the daemon's event stream fits. */
interface NetworkEvents {
  publish(
    type: 'network',
    action: 'create' | 'connect' | 'disconnect' | 'destroy',
    id: string,
    attributes: Readonly<Record<string, string>>,
  ): void;
}

/** What the daemon decides; defaults are Docker's. */
export interface NetworksOptions {
  readonly db: Database;
  /** Short id of this daemon on the host; `default` for the one everybody has. Every name on the host carries it. */
  readonly instance: string;
  /** Namespaces are bind-mounted below `netns/` in it. */
  readonly runFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: NetworkEvents;
  /** Of the default network; default: `wharf0` for the default instance, derived from the instance otherwise. */
  readonly bridgeName?: string;
  /** Address and prefix length of the default bridge (`--bip`). */
  readonly bip?: string;
  /** Containers of the default bridge get addresses from this part of its subnet (`--fixed-cidr`). */
  readonly fixedCidr?: string;
  readonly defaultAddressPools?: readonly AddressPool[];
  /** Default: the MTU of the default route. */
  readonly mtu?: number;
  /** Resolvers behind 127.0.0.11; default: those of `hostResolvConf`. */
  readonly dns?: readonly string[];
  /** Default `/etc/resolv.conf`. */
  readonly hostResolvConf?: string;
  /** false: never touch forwarding (`--ip-forward=false`). */
  readonly ipForward?: boolean;
  /** false: no packet filter rules at all; published ports are relayed. */
  readonly iptables?: boolean;
  /** Containers of the default bridge reach each other (`--icc`). */
  readonly icc?: boolean;
  readonly ipMasq?: boolean;
  /** Where ports are published when no address is asked for (`--ip`); default every address. */
  readonly defaultBindingIp?: string;
  /** Ports to choose from; default the host's ephemeral range. */
  readonly portRange?: { readonly first: number; readonly last: number };
}

/** Names on the host may only have these characters, and links at most 15 of them. */
const plain = (instance: string): string => instance.replace(/[^A-Za-z0-9]/g, '');

export const tableName = (instance: string): string => `wharf_${plain(instance)}`;

/** Marks our links, whatever their names are. */
export const linkAlias = (instance: string): string => `wharf ${instance}`;

export const defaultBridgeName = (options: Pick<NetworksOptions, 'instance' | 'bridgeName'>): string =>
  options.bridgeName ??
  (options.instance === 'default' ? 'wharf0' : `wh-${plain(options.instance).slice(0, 10)}0`);
