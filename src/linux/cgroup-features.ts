import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupHost } from './cgroup.ts';

/** Limits that not every kernel has, be it for its configuration or for `cgroup_disable` and `swapaccount` at boot. */
export interface CgroupFeatures {
  readonly memoryLimit: boolean;
  /** Of memory and swap together. */
  readonly swapLimit: boolean;
  readonly memoryReservation: boolean;
  readonly memorySwappiness: boolean;
  readonly oomKillDisable: boolean;
  readonly cpuShares: boolean;
  readonly cpuQuota: boolean;
  readonly cpuRealtime: boolean;
  readonly cpuset: boolean;
  readonly pidsLimit: boolean;
  readonly blkioWeight: boolean;
  readonly blkioWeightDevice: boolean;
  /** Bytes and operations a second. */
  readonly blkioThrottle: boolean;
  /** NUMA nodes with memory, as `0-1,3`; undefined where the kernel does not tell. */
  readonly memoryNodes: string | undefined;
}

const memoryNodesFile = '/sys/devices/system/node/has_memory';

/** Which limits the mounted control groups offer. `nodesFile` is read for the memory nodes. */
export function cgroupFeatures(host: CgroupHost, nodesFile: string = memoryNodesFile): CgroupFeatures {
  const memoryNodes = existsSync(nodesFile) ? readFileSync(nodesFile, 'utf8').trim() : undefined;
  const features = host.mode === 'v2' ? unifiedFeatures(host.unified ?? '') : hierarchyFeatures(host);
  return { ...features, memoryNodes };
}

function hierarchyFeatures(host: CgroupHost): Omit<CgroupFeatures, 'memoryNodes'> {
  const has = (controller: string, ...files: readonly string[]): boolean => {
    const folder = host.controllers.get(controller);
    return folder !== undefined && files.some((file) => existsSync(join(folder, file)));
  };
  return {
    memoryLimit: has('memory', 'memory.limit_in_bytes'),
    swapLimit: has('memory', 'memory.memsw.limit_in_bytes'),
    memoryReservation: has('memory', 'memory.soft_limit_in_bytes'),
    memorySwappiness: has('memory', 'memory.swappiness'),
    oomKillDisable: has('memory', 'memory.oom_control'),
    cpuShares: has('cpu', 'cpu.shares'),
    cpuQuota: has('cpu', 'cpu.cfs_quota_us'),
    cpuRealtime: has('cpu', 'cpu.rt_period_us'),
    cpuset: host.controllers.has('cpuset'),
    pidsLimit: host.controllers.has('pids'),
    blkioWeight: has('blkio', 'blkio.weight', 'blkio.bfq.weight'),
    blkioWeightDevice: has('blkio', 'blkio.weight_device', 'blkio.bfq.weight_device'),
    blkioThrottle: has('blkio', 'blkio.throttle.read_bps_device'),
  };
}

function unifiedFeatures(root: string): Omit<CgroupFeatures, 'memoryNodes'> {
  const controllers = new Set(readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(' '));
  const has = (controller: string): boolean => controllers.has(controller);
  const weights = has('io') && belowShow(root, 'io.stat', ['io.weight', 'io.bfq.weight']);
  return {
    memoryLimit: has('memory'),
    swapLimit: has('memory') && belowShow(root, 'memory.current', ['memory.swap.max']),
    memoryReservation: has('memory'),
    memorySwappiness: false,
    oomKillDisable: false,
    cpuShares: has('cpu'),
    cpuQuota: has('cpu'),
    cpuRealtime: false,
    cpuset: has('cpuset'),
    pidsLimit: has('pids'),
    blkioWeight: weights,
    blkioWeightDevice: weights,
    blkioThrottle: has('io'),
  };
}

/**
 * The root has no limits of its own: groups below show one of `files`, once the controller that `sign` belongs to is
 * on for them. True while it is on for none.
 */
function belowShow(root: string, sign: string, files: readonly string[]): boolean {
  const groups = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const controlled = groups.filter(({ name }) => existsSync(join(root, name, sign)));
  const shows = (name: string): boolean => files.some((file) => existsSync(join(root, name, file)));
  return controlled.length === 0 || controlled.some(({ name }) => shows(name));
}
