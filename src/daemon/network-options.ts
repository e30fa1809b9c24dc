import { unimplemented } from '#kernel';
import type { NetworksOptions } from '#networks';
import type { Configuration } from './configuration/configuration.ts';

type Chosen = Omit<NetworksOptions, 'db' | 'instance' | 'runFolder' | 'clock' | 'logger' | 'events'>;

/** The daemon's configuration in the networks' own terms. */
export function networkOptions({ network }: Configuration): Chosen {
  if (network.bridge === 'none') {
    throw unimplemented('--bridge none is not supported: leave the default network unused instead');
  }
  return {
    ...(network.bridge !== undefined && { bridgeName: network.bridge }),
    ...(network.bip !== undefined && { bip: network.bip }),
    ...(network.fixedCidr !== undefined && { fixedCidr: network.fixedCidr }),
    ...(network.pools.length > 0 && { defaultAddressPools: network.pools }),
    ...(network.mtu !== undefined && { mtu: network.mtu }),
    ...(network.bindingIp !== undefined && { defaultBindingIp: network.bindingIp }),
    ...(network.dns.length > 0 && { dns: network.dns }),
    ipForward: network.ipForward,
    ipMasq: network.ipMasq,
    iptables: network.iptables,
    icc: network.icc,
  };
}
