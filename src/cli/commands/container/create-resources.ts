import type { DeviceMapping, DeviceRequest, Resources } from '#api/types';
import type { CreateValues } from './create-flags.ts';

/** Limits and devices. */
export function makeResources(flags: CreateValues, changed: ReadonlySet<string>): Resources {
  const swappiness = flags['memory-swappiness'];
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    throw new Error(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  }
  const named = flags.device.filter((text) => isCdiName(text));
  const requests: DeviceRequest[] = [...flags.gpus];
  if (named.length > 0) requests.push({ Driver: 'cdi', DeviceIDs: named });
  return {
    CpuShares: flags['cpu-shares'],
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    CgroupParent: flags['cgroup-parent'],
    BlkioWeight: flags['blkio-weight'],
    BlkioWeightDevice: flags['blkio-weight-device'],
    BlkioDeviceReadBps: flags['device-read-bps'],
    BlkioDeviceWriteBps: flags['device-write-bps'],
    BlkioDeviceReadIOps: flags['device-read-iops'],
    BlkioDeviceWriteIOps: flags['device-write-iops'],
    CpuPeriod: flags['cpu-period'],
    CpuQuota: flags['cpu-quota'],
    CpuRealtimePeriod: flags['cpu-rt-period'],
    CpuRealtimeRuntime: flags['cpu-rt-runtime'],
    CpusetCpus: flags['cpuset-cpus'],
    CpusetMems: flags['cpuset-mems'],
    Devices: flags.device.filter((text) => !isCdiName(text)).map(parseDevice),
    DeviceCgroupRules: flags['device-cgroup-rule'].length > 0 ? flags['device-cgroup-rule'] : null,
    DeviceRequests: requests.length > 0 ? requests : null,
    MemoryReservation: flags['memory-reservation'],
    MemorySwap: flags['memory-swap'],
    MemorySwappiness: swappiness,
    OomKillDisable: flags['oom-kill-disable'],
    PidsLimit: flags['pids-limit'],
    Ulimits: [...flags.ulimit].sort((a, b) => ((a.Name ?? '') < (b.Name ?? '') ? -1 : 1)),
    CpuCount: changed.has('cpu-count') ? flags['cpu-count'] : 0,
    CpuPercent: flags['cpu-percent'],
    IOMaximumIOps: flags['io-maxiops'],
    IOMaximumBandwidth: flags['io-maxbandwidth'],
  };
}

/** A device of the Container Device Interface: `vendor.com/class=name`. */
const isCdiName = (text: string): boolean => /^[a-z][\w.-]*\/[a-z][\w.-]*=[\w][\w.:-]*$/i.test(text);

function parseDevice(text: string): DeviceMapping {
  const parts = text.split(':');
  const [source = '', second, third] = parts;
  const isMode = (word: string): boolean => /^(?!.*(.).*\1)[rwm]+$/.test(word);
  if (parts.length > 3 || source === '') throw new Error(`bad format for path: ${text}`);
  if (third !== undefined && !isMode(third)) throw new Error(`bad mode specified: ${third}`);
  const onlyMode = parts.length === 2 && second !== undefined && isMode(second);
  return {
    PathOnHost: source,
    PathInContainer: second === undefined || onlyMode ? source : second,
    CgroupPermissions: third ?? (onlyMode ? second : 'rwm'),
  };
}
