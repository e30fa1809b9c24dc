import { conflict, invalidArgument } from '#kernel';
import type { HostConfig } from '#api/types';
import type { ContainerRecord } from '../container-record.ts';
import type { SpecNamespace } from '../spec/oci-spec.ts';

/** Another container whose namespace is to be shared. Throws notFound. */
export type FindContainer = (ref: string) => ContainerRecord;

/** The container that a mode `container:X` names, undefined for other modes. */
export function sharedContainer(mode: string | undefined): string | undefined {
  return mode?.startsWith('container:') ? mode.slice('container:'.length) : undefined;
}

/** Main process of a container whose namespaces are to be joined. Throws conflict when it does not run. */
function runningPid(ref: string, find: FindContainer): number {
  const { state, id } = find(ref);
  if (state.status !== 'running')
    throw conflict(`cannot join network namespace of a non running container: ${id}`);
  return state.pid;
}

/**
 * The namespaces of a container's spec. `network` is the path of its network namespace, undefined for the host's.
 * A type that is not listed is shared with the host.
 */
export function containerNamespaces(
  host: HostConfig,
  network: string | undefined,
  find: FindContainer,
): readonly SpecNamespace[] {
  const namespaces: SpecNamespace[] = [{ type: 'mount' }];
  if (network !== undefined) namespaces.push({ type: 'network', path: network });
  if (host.UTSMode !== 'host') namespaces.push({ type: 'uts' });
  const joined = (type: 'pid' | 'ipc', mode: string | undefined): void => {
    if (mode === 'host') return;
    const other = sharedContainer(mode);
    if (other === undefined) namespaces.push({ type });
    else namespaces.push({ type, path: `/proc/${runningPid(other, find)}/ns/${type}` });
  };
  joined('pid', host.PidMode);
  joined('ipc', host.IpcMode);
  if (host.CgroupnsMode === 'private') namespaces.push({ type: 'cgroup' });
  return namespaces;
}

/** The network namespace of the container that `container:X` names; undefined when that one is in the host's. */
export function joinedNetwork(ref: string, self: string, find: FindContainer): string | undefined {
  const other = find(ref);
  if (other.id === self) throw invalidArgument('cannot join own network namespace');
  const { state } = other;
  if (state.status !== 'running') {
    throw conflict(`cannot join network namespace of a non running container: ${other.id}`);
  }
  if (other.hostConfig.NetworkMode === 'host') return undefined;
  return `/proc/${state.pid}/ns/net`;
}
