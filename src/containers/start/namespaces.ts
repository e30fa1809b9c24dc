import { conflict, invalidArgument, prefixErrors } from '#kernel';
import type { HostConfig } from '#api/types';
import type { ContainerRecord } from '../container-record.ts';
import type { SpecNamespace } from '../spec/oci-spec.ts';

/** Another container whose namespace is to be shared. Throws notFound. */
export type FindContainer = (ref: string) => ContainerRecord;

/** The container that a mode `container:X` names, undefined for other modes. */
export function sharedContainer(mode: string | undefined): string | undefined {
  return mode?.startsWith('container:') ? mode.slice('container:'.length) : undefined;
}

/** A container to join for its IPC or PID namespace, with its main process. Throws conflict when it does not run. */
function running(kind: 'IPC' | 'PID', ref: string, find: FindContainer): ContainerRecord & { pid: number } {
  const prefix = `failed to join ${kind} namespace: `;
  const record = prefixErrors(prefix, () => find(ref), 'invalidArgument');
  const { state, id } = record;
  if (state.status !== 'running') throw conflict(`${prefix}container ${id} is not running`);
  return { ...record, pid: state.pid };
}

/** The container that an IPC mode wants to share with. Throws when that one does not run or keeps its IPC private. */
export function ipcDonor(
  mode: string | undefined,
  find: FindContainer,
): (ContainerRecord & { readonly pid: number }) | undefined {
  const ref = sharedContainer(mode);
  if (ref === undefined) return undefined;
  const donor = running('IPC', ref, find);
  const theirs = donor.hostConfig.IpcMode;
  if (theirs === 'host' || theirs === 'shareable') return donor;
  throw invalidArgument(
    `failed to join IPC namespace: container ${donor.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );
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
  const joined = (
    type: 'pid' | 'ipc',
    mode: string | undefined,
    other: { pid: number } | undefined,
  ): void => {
    if (mode === 'host') return;
    namespaces.push(other ? { type, path: `/proc/${other.pid}/ns/${type}` } : { type });
  };
  const pidOwner = sharedContainer(host.PidMode);
  joined('pid', host.PidMode, pidOwner === undefined ? undefined : running('PID', pidOwner, find));
  joined('ipc', host.IpcMode, ipcDonor(host.IpcMode, find));
  if (host.CgroupnsMode === 'private') namespaces.push({ type: 'cgroup' });
  return namespaces;
}

/** The network namespace of the container that `container:X` names; undefined when that one is in the host's. */
export function joinedNetwork(ref: string, self: string, find: FindContainer): string | undefined {
  const other = find(ref);
  if (other.id === self) throw invalidArgument('cannot join own network namespace');
  const { state } = other;
  if (state.status !== 'running') {
    const { name } = other;
    throw conflict(
      `cannot join network namespace of a non running container: container ${name} is ${state.status}`,
    );
  }
  if (other.hostConfig.NetworkMode === 'host') return undefined;
  return `/proc/${state.pid}/ns/net`;
}
