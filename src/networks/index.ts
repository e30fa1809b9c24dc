export type * from './networks.ts';
export type { NetworksOptions } from './networks-options.ts';
export type { AddressPool } from './ipam/pool-choice.ts';
export { createNetworks } from './create-networks.ts';
export { teardown } from './teardown.ts';
export {
  parseResolvConf,
  readHostResolvConf,
  resolvConf,
  type ResolvConf,
  type ResolvConfRequest,
} from './dns/resolv-conf.ts';
export { validateEndpointSpec, dnsNames } from './endpoint-spec.ts';
export { holderOf, type PortHolder } from './ports/port-holder.ts';
export { isPredefined } from './network-record.ts';
