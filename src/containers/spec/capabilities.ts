import type { HostConfig } from '#api/types';
import { invalidArgument } from '#kernel';
import type { SpecCapabilities } from './oci-spec.ts';

/** Every capability that Linux 6.x knows (capabilities(7)), in the kernel's order. */
export const allCapabilities: readonly string[] = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

/** What a container has when nobody asks for anything else. */
export const defaultCapabilities: readonly string[] =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
    .split(' ')
    .map((name) => `CAP_${name}`);

/** `all`, `net_admin`, `CAP_NET_ADMIN` → `ALL`, `CAP_NET_ADMIN`. Throws invalidArgument for an unknown one. */
export function normalizeCapabilities(
  field: 'CapAdd' | 'CapDrop',
  names: readonly string[],
): readonly string[] {
  return names.map((name) => {
    const upper = name.toUpperCase();
    if (upper === 'ALL') return upper;
    const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!allCapabilities.includes(full))
      throw invalidArgument(`invalid ${field}: unknown capability: "${full}"`);
    return full;
  });
}

/** Throws invalidArgument, in Docker's words, for one that the daemon itself lacks and so cannot hand out. */
export function requireAvailable(asked: readonly string[], available: readonly string[]): void {
  const missing = normalizeCapabilities('CapAdd', asked).find(
    (name) => name !== 'ALL' && !available.includes(name),
  );
  if (missing === undefined) return;
  throw invalidArgument(
    `invalid CapAdd: capability not supported by your kernel or not available in the current environment: "${missing}"`,
  );
}

/** The container's capabilities: those of the bounding set that the daemon itself may hand out (`available`). */
function containerCapabilities(options: {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
  readonly available: readonly string[];
}): readonly string[] {
  const { privileged, available } = options;
  if (privileged) return available;
  const add = normalizeCapabilities('CapAdd', options.add);
  const drop = normalizeCapabilities('CapDrop', options.drop);
  const base = add.includes('ALL') ? available : drop.includes('ALL') ? [] : defaultCapabilities;
  const kept = base.filter((name) => !drop.includes(name));
  const added = add.filter((name) => name !== 'ALL' && !kept.includes(name));
  return [...kept, ...added].filter((name) => available.includes(name));
}

/** The capabilities that a host configuration asks for. `privileged`: whatever it says, all that are available. */
export const capabilitiesOf = (
  host: HostConfig,
  privileged: boolean,
  available: readonly string[],
): readonly string[] =>
  containerCapabilities({
    add: host.CapAdd ?? [],
    drop: host.CapDrop ?? [],
    privileged: privileged || (host.Privileged ?? false),
    available,
  });

/** The sets of a process: root has them all in effect; another user only in the bounding set. */
export function capabilitySets(capabilities: readonly string[], uid: number): SpecCapabilities {
  const held = uid === 0 ? capabilities : [];
  return { bounding: capabilities, effective: held, permitted: held };
}
