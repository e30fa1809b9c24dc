import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupHost } from './cgroup.ts';

/** Limits that not every kernel has. */
export interface CgroupFeatures {
  readonly blkioWeight: boolean;
  readonly blkioWeightDevice: boolean;
  readonly cpuRealtime: boolean;
  readonly oomKillDisable: boolean;
  readonly memorySwappiness: boolean;
  /** NUMA nodes with memory, as `0-1,3`; undefined where the kernel does not tell. */
  readonly memoryNodes: string | undefined;
}

const memoryNodesFile = '/sys/devices/system/node/has_memory';

/** Which limits the mounted control groups offer. `nodesFile` is read for the memory nodes. */
export function cgroupFeatures(host: CgroupHost, nodesFile: string = memoryNodesFile): CgroupFeatures {
  const memoryNodes = existsSync(nodesFile) ? readFileSync(nodesFile, 'utf8').trim() : undefined;
  if (host.mode === 'v2') {
    const weights = unifiedWeights(host.unified ?? '');
    return {
      blkioWeight: weights,
      blkioWeightDevice: weights,
      cpuRealtime: false,
      oomKillDisable: false,
      memorySwappiness: false,
      memoryNodes,
    };
  }
  const has = (controller: string, ...files: readonly string[]): boolean => {
    const folder = host.controllers.get(controller);
    return folder !== undefined && files.some((file) => existsSync(join(folder, file)));
  };
  return {
    blkioWeight: has('blkio', 'blkio.weight', 'blkio.bfq.weight'),
    blkioWeightDevice: has('blkio', 'blkio.weight_device', 'blkio.bfq.weight_device'),
    cpuRealtime: has('cpu', 'cpu.rt_period_us'),
    oomKillDisable: has('memory', 'memory.oom_control'),
    memorySwappiness: has('memory', 'memory.swappiness'),
    memoryNodes,
  };
}

/** The root has no weight of its own: groups below show it, once the io controller is on for them. */
function unifiedWeights(root: string): boolean {
  const controllers = readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(' ');
  if (!controllers.includes('io')) return false;
  const groups = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const withIo = groups.filter(({ name }) => existsSync(join(root, name, 'io.stat')));
  const weighted = (name: string): boolean =>
    ['io.weight', 'io.bfq.weight'].some((file) => existsSync(join(root, name, file)));
  return withIo.length === 0 || withIo.some(({ name }) => weighted(name));
}
