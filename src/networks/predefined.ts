import { newId } from '#kernel';
import type { NetworkRecord } from './networks.ts';
import { defaultBridgeName, type NetworksOptions } from './networks-options.ts';

/** A network that is always there. */
export const predefinedRecord = (
  name: 'bridge' | 'host' | 'none',
  createdAt: bigint,
  more: Partial<NetworkRecord>,
): NetworkRecord => ({
  id: newId(),
  name,
  driver: name,
  internal: false,
  attachable: false,
  enableIPv4: true,
  enableIPv6: false,
  ipamDriver: 'default',
  ipamOptions: {},
  pools: [],
  ipamConfig: [],
  requestedSubnets: [],
  options: {},
  labels: {},
  createdAt,
  ...more,
});

/** The options that inspect shows for the default bridge. */
export const defaultBridgeOptions = (options: NetworksOptions, mtu: number): Record<string, string> => ({
  'com.docker.network.bridge.default_bridge': 'true',
  'com.docker.network.bridge.enable_icc': String(options.icc ?? true),
  'com.docker.network.bridge.enable_ip_masquerade': String(options.ipMasq ?? true),
  'com.docker.network.bridge.host_binding_ipv4': options.defaultBindingIp ?? '0.0.0.0',
  'com.docker.network.bridge.name': defaultBridgeName(options),
  'com.docker.network.driver.mtu': String(mtu),
});
