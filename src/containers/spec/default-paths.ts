import type { SpecDeviceRule, SpecMount } from './oci-spec.ts';

/** What of /proc and /sys a container that is not privileged must not see. */
export const maskedPaths: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

/** What of /proc it may only read. */
export const readonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** Where programs are looked for, unless the image or the user says otherwise. */
export const defaultSearchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const defaultShmSize = 64 * 1024 * 1024;

const guarded = ['nosuid', 'noexec', 'nodev'] as const;

/** The file systems every container has. `writable`: whether it may write to /sys. */
export function kernelMounts(options: {
  readonly writable: boolean;
  readonly writableCgroups: boolean;
}): readonly SpecMount[] {
  const access = options.writable ? 'rw' : 'ro';
  const cgroups = options.writableCgroups ? 'rw' : 'ro';
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: guarded },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...guarded, access] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [cgroups, ...guarded] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: guarded },
  ];
}

const character = (major: number, minor: number): SpecDeviceRule => ({
  allow: true,
  type: 'c',
  major,
  minor,
  access: 'rwm',
});

/** zero, null, urandom, random, tty, console, ptmx and the ptys; all else is denied. */
export const defaultDeviceRules: readonly SpecDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  character(1, 3),
  character(1, 5),
  character(1, 7),
  character(1, 8),
  character(1, 9),
  character(5, 0),
  character(5, 1),
  character(5, 2),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];
