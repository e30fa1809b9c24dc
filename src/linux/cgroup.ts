import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How this host mounts control groups (cgroups(7)). Mount points by controller; `unified` is the v2 tree. */
export interface CgroupHost {
  /** hybrid: v1 controllers next to a v2 tree. */
  readonly mode: 'v1' | 'hybrid' | 'v2';
  /** v1 mount point by controller, named hierarchies as `name=systemd`. Empty on v2. */
  readonly controllers: ReadonlyMap<string, string>;
  readonly unified: string | undefined;
}

/** Reads the host's layout from mountinfo(5). Throws Error when no cgroup hierarchy is mounted. */
export function readCgroupHost(mountinfo: string = readFileSync('/proc/self/mountinfo', 'utf8')): CgroupHost {
  const mounts = mountinfo.split('\n').map(parseMount);
  const unified = mounts.find(({ type }) => type === 'cgroup2')?.mountPoint;
  const controllers = new Map(
    mounts
      .filter(({ type }) => type === 'cgroup')
      .flatMap(({ options, mountPoint }) =>
        options.filter(isController).map((option) => [option, mountPoint] as const),
      ),
  );
  if (controllers.size > 0) return { mode: unified === undefined ? 'v1' : 'hybrid', controllers, unified };
  if (unified === undefined)
    throw new Error('no cgroup hierarchy is mounted: mount cgroup2 on /sys/fs/cgroup');
  return { mode: 'v2', controllers, unified };
}

function parseMount(line: string): { mountPoint: string; type: string; options: string[] } {
  const [left = '', right = ''] = line.split(' - ');
  const [type = '', , options = ''] = right.split(' ');
  return { mountPoint: left.split(' ')[4] ?? '', type, options: options.split(',') };
}

const isController = (option: string): boolean => v1Controllers.has(option) || option.startsWith('name=');

const v1Controllers = new Set([
  'blkio',
  'cpu',
  'cpuacct',
  'cpuset',
  'devices',
  'freezer',
  'hugetlb',
  'memory',
  'misc',
  'net_cls',
  'net_prio',
  'perf_event',
  'pids',
  'rdma',
]);

/** The path below the hierarchies' roots of a process's cgroup; undefined when there is no such process. */
export function cgroupPathOf(pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return undefined;
  }
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    for (const name of match?.[1]?.split(',') ?? []) paths.set(name, match?.[2] ?? '/');
  }
  return paths.get('freezer') ?? paths.get('pids') ?? paths.get('memory') ?? paths.get('');
}

/**
 * One cgroup, the same path in every hierarchy. Missing folders read as empty, so that a cgroup that is being
 * removed is no error.
 */
export class Cgroup {
  readonly host: CgroupHost;
  readonly path: string;

  constructor(host: CgroupHost, path: string) {
    if (!path.startsWith('/') || path === '/' || path.split('/').includes('..')) {
      throw new RangeError(`cgroup path ${JSON.stringify(path)} is not absolute`);
    }
    this.host = host;
    this.path = path;
  }

  /** Its folder in a controller's hierarchy; the unified one on v2. */
  folder(controller: string): string | undefined {
    const root = this.host.mode === 'v2' ? this.host.unified : this.host.controllers.get(controller);
    return root === undefined ? undefined : join(root, this.path);
  }

  /** Its folders in every hierarchy, whether they exist or not. */
  folders(): string[] {
    const roots = new Set(this.host.controllers.values());
    if (this.host.unified !== undefined) roots.add(this.host.unified);
    return [...roots].map((root) => join(root, this.path));
  }

  /** A file of the cgroup, trimmed; undefined when it does not exist. */
  read(controller: string, file: string): string | undefined {
    const folder = this.folder(controller);
    return folder === undefined ? undefined : readOptional(join(folder, file));
  }

  /** Pids in it and below, in the caller's pid namespace. */
  pids(): number[] {
    const folder = this.folder('freezer') ?? this.folder('pids') ?? this.folder('memory');
    return folder === undefined ? [] : pidsBelow(folder);
  }

  /** How many processes the kernel's OOM killer took in it since it was made. Read before remove(). */
  oomKills(): number {
    const file = this.host.mode === 'v2' ? 'memory.events' : 'memory.oom_control';
    const match = /^oom_kill (\d+)$/m.exec(this.read('memory', file) ?? '');
    return Number(match?.[1] ?? 0);
  }

  /** Asks the kernel to stop (or continue) every process in it; isFrozen() tells when it has. */
  freeze(frozen: boolean): void {
    const folder = this.folder('freezer');
    if (folder === undefined) throw new Error('the host has no freezer cgroup: pausing needs one');
    if (this.host.mode === 'v2') writeFileSync(join(folder, 'cgroup.freeze'), frozen ? '1' : '0');
    else writeFileSync(join(folder, 'freezer.state'), frozen ? 'FROZEN' : 'THAWED');
  }

  isFrozen(): boolean {
    if (this.host.mode === 'v2') return /^frozen 1$/m.test(this.read('freezer', 'cgroup.events') ?? '');
    return this.read('freezer', 'freezer.state') === 'FROZEN';
  }

  /** SIGKILL to everything in it. A caller repeats it until pids() is empty, as v1 cannot do it at once. */
  kill(): void {
    const folder = this.host.mode === 'v2' ? this.folder('') : undefined;
    if (folder !== undefined && writeOptional(join(folder, 'cgroup.kill'), '1')) return;
    for (const pid of this.pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
  }

  /** Removes its folders in every hierarchy, nested cgroups first. False when some are still busy. */
  remove(): boolean {
    return this.folders().every((folder) => removeTree(folder));
  }
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}

function writeOptional(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch {
    return [];
  }
}

function pidsBelow(folder: string): number[] {
  const own = readOptional(join(folder, 'cgroup.procs'))?.split('\n').filter(Boolean).map(Number) ?? [];
  return [...own, ...subfolders(folder).flatMap(pidsBelow)];
}

function removeTree(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return true;
    const nested = subfolders(folder);
    if (nested.length === 0 || !nested.every(removeTree)) return false;
  }
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/** Makes the cgroup's folder in every hierarchy, as for a parent that many containers share. */
export function makeCgroup(cgroup: Cgroup): void {
  for (const folder of cgroup.folders()) mkdirSync(folder, { recursive: true });
}
