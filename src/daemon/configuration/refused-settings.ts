import { unimplemented } from '#kernel';
import type { Setting } from './settings.ts';

/** A setting of dockerd that this engine refuses by name; set to nothing (false, 0, empty) it may stand there. */
export interface RefusedSetting extends Omit<Setting, 'help' | 'flag'> {
  /** Flag without dashes; undefined: only a key of daemon.json. */
  readonly flag?: string;
  readonly reason: string;
}

const refuse = (flag: string, kind: Setting['kind'], reason: string, key: string = flag): RefusedSetting => ({
  flag,
  key,
  kind,
  reason,
});

const noSwarm = 'this engine has no swarm mode';
const noContainerd = 'this engine needs no containerd';
const noIpv6 = 'the default network has IPv4 only: create a network with --ipv6';
const noGateway = "the default network's gateway is its bridge: create a network with --gateway";

/** Every setting of dockerd 28 that ./settings.ts does not have. */
export const refusedSettings: readonly RefusedSetting[] = [
  refuse('allow-direct-routing', 'flag', 'addresses of containers are never closed to the host’s neighbours'),
  refuse('authorization-plugin', 'list', 'there are no plugins', 'authorization-plugins'),
  refuse('bip6', 'text', noIpv6),
  refuse('containerd', 'text', noContainerd),
  refuse('containerd-namespace', 'text', noContainerd),
  refuse('containerd-plugins-namespace', 'text', noContainerd, 'containerd-plugin-namespace'),
  refuse('cpu-rt-period', 'number', 'real-time scheduling of control groups is not supported'),
  refuse('cpu-rt-runtime', 'number', 'real-time scheduling of control groups is not supported'),
  refuse('cri-containerd', 'flag', noContainerd),
  refuse('default-gateway', 'text', noGateway),
  refuse('default-gateway-v6', 'text', noGateway),
  refuse(
    'default-network-opt',
    'pairs',
    'give a network its options when creating it',
    'default-network-opts',
  ),
  refuse('fixed-cidr-v6', 'text', noIpv6),
  refuse('ipv6', 'flag', noIpv6),
  refuse('metrics-addr', 'text', 'there are no metrics yet'),
  refuse('network-control-plane-mtu', 'number', noSwarm),
  refuse('node-generic-resource', 'list', noSwarm, 'node-generic-resources'),
  refuse('rootless', 'flag', 'the engine runs as root only'),
  refuse('selinux-enabled', 'flag', 'labels of SELinux are not supported'),
  refuse('storage-opt', 'list', 'the storage drivers have no options', 'storage-opts'),
  refuse('swarm-default-advertise-addr', 'text', noSwarm),
  refuse('userland-proxy-path', 'text', 'no proxy program is run: published ports are served by the kernel'),
  refuse('userns-remap', 'text', 'containers run in the host’s user namespace'),
];

/** Throws unimplemented unless the value means what the engine does anyway. */
export function refuseSetting(setting: RefusedSetting, name: string, value: unknown): void {
  if (!isNothing(value)) throw unimplemented(`${name} is not supported: ${setting.reason}`);
}

function isNothing(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isNothing);
  return [undefined, null, '', 'false', '0', false, 0].some((nothing) => nothing === value);
}
