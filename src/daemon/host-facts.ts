import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { delimiter, join } from 'node:path';

/** What the daemon reads of its host once, at the start. */
export interface HostFacts {
  readonly cpus: number;
  readonly hostname: string;
  readonly memory: number;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** The daemon's own bounding set, as names. */
  readonly capabilities: readonly string[];
  /** Own hard limit by rlimit name; Infinity where it may be raised. */
  hardLimit(name: string): number;
  readonly apparmor: boolean;
}

const limitNames: Readonly<Record<string, string>> = {
  cpu: 'Max cpu time',
  fsize: 'Max file size',
  data: 'Max data size',
  stack: 'Max stack size',
  core: 'Max core file size',
  rss: 'Max resident set',
  nproc: 'Max processes',
  nofile: 'Max open files',
  memlock: 'Max locked memory',
  sigpending: 'Max pending signals',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
};

/** `allCapabilities` in the kernel's order, to name the bits of CapBnd. */
export function readHostFacts(allCapabilities: readonly string[]): HostFacts {
  const release = readRelease();
  const bounding = BigInt(
    `0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  const capabilities = allCapabilities.filter((_name, bit) => (bounding >> BigInt(bit)) & 1n);
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const mayRaise = capabilities.includes('CAP_SYS_RESOURCE');
  return {
    cpus: availableParallelism(),
    hostname: hostname(),
    memory: Number(/^MemTotal:\s*(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024,
    kernelVersion: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    operatingSystem: release['PRETTY_NAME'] ?? 'Linux',
    osVersion: release['VERSION_ID'] ?? '',
    capabilities,
    hardLimit(name) {
      if (mayRaise && name !== 'nofile') return Infinity;
      const line = limits.split('\n').find((text) => text.startsWith(limitNames[name] ?? '\0'));
      const hard = line === undefined ? undefined : /(\S+)\s+(\S+)(?:\s+\S+)?\s*$/.exec(line.slice(26))?.[2];
      if (mayRaise) return Number(readFileSync('/proc/sys/fs/nr_open', 'utf8'));
      return hard === undefined || hard === 'unlimited' ? Infinity : Number(hard);
    },
    apparmor: existsSync('/sys/kernel/security/apparmor/profiles'),
  };
}

function readRelease(): Readonly<Record<string, string>> {
  const path = ['/etc/os-release', '/usr/lib/os-release'].find((file) => existsSync(file));
  if (path === undefined) return {};
  return Object.fromEntries(
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const match = /^([A-Z_]+)="?([^"]*)"?$/.exec(line);
        return match?.[1] === undefined ? [] : [[match[1], match[2] ?? '']];
      }),
  );
}

/** The first of these programs on the PATH or in the system folders; undefined when none is there. */
export function findProgram(names: readonly string[], path: string): string | undefined {
  const folders = [
    ...path.split(delimiter),
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
  ];
  for (const name of names) {
    for (const folder of folders.filter((entry) => entry.startsWith('/'))) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        continue;
      }
    }
  }
  return undefined;
}

const fileSystems: Readonly<Record<number, string>> = {
  0xef53: 'extfs',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlayfs',
  0x6969: 'nfs',
  0x2fc12fc1: 'zfs',
};

/** Name of the file system that holds a path, as Docker calls it. */
export const fileSystemOf = (path: string): string => fileSystems[statfsSync(path).type] ?? '<unknown>';
