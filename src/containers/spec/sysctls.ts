import type { ContainerConfig, HostConfig } from '#api/types';
import { internal } from '#kernel';
import type { SpecNamespace } from './oci-spec.ts';

export interface SysctlInput {
  readonly config: Pick<ContainerConfig, 'Domainname'>;
  readonly hostConfig: Pick<HostConfig, 'Sysctls' | 'Privileged'>;
  /** Own or another container's namespaces; a missing type is shared with the host. */
  readonly namespaces: readonly SpecNamespace[];
  readonly hostNetwork: boolean;
}

const ofIpc = new Set(
  'msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced'.split(' ').map((name) => `kernel.${name}`),
);
const refusal =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ';

/**
 * The kernel parameters of a container: those asked for, its domain name, and two that let its users open low ports
 * and ping. Throws internal, as runc words it, for one that would change the host.
 */
export function specSysctls(input: SysctlInput): Readonly<Record<string, string>> {
  const { config, hostConfig, namespaces } = input;
  const separate = new Set(namespaces.map(({ type }) => type));
  const domain = config.Domainname ?? '';
  const asked = { ...(domain !== '' && { 'kernel.domainname': domain }), ...hostConfig.Sysctls };
  for (const name of Object.keys(asked)) refuseShared(name, separate, input.hostNetwork);
  if (input.hostNetwork || hostConfig.Privileged || !separate.has('network') || separate.has('user'))
    return asked;
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': '0 2147483647',
    ...asked,
  };
}

function refuseShared(name: string, separate: ReadonlySet<string>, hostNetwork: boolean): void {
  const refuse = (allowed: boolean, why: string): void => {
    if (!allowed) throw internal(`${refusal}sysctl "${name}" ${why}`);
  };
  if (name.startsWith('net.')) refuse(!hostNetwork, 'not allowed in host network namespace');
  else if (ofIpc.has(name) || name.startsWith('fs.mqueue.'))
    refuse(separate.has('ipc'), 'is not allowed in the hosts ipc namespace');
  else if (name === 'kernel.hostname') refuse(false, 'conflicts with OCI "hostname" field');
  else refuse(name === 'kernel.domainname' && separate.has('uts'), 'is not in a separate kernel namespace');
}
