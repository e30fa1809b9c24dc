import type { HostConfig } from '#api/types';
import type { SpecResources, SpecThrottle, SpecDeviceRule } from './oci-spec.ts';

type Throttles = HostConfig['BlkioDeviceReadBps'];

/** Looks up a device node's numbers; injected, since this module does no I/O. */
export type DeviceNumbers = (path: string) => { readonly major: number; readonly minor: number };

/** The cgroup limits of a host configuration (runtime-spec config-linux.md, resources). Zero means no limit. */
export function specResources(
  host: HostConfig,
  devices: readonly SpecDeviceRule[],
  numbers: DeviceNumbers,
): SpecResources {
  const memory = memoryLimits(host);
  const cpu = cpuLimits(host);
  const blockIO = blockLimits(host, numbers);
  const pids = host.PidsLimit ?? 0;
  return {
    devices,
    ...(memory && { memory }),
    ...(cpu && { cpu }),
    ...(pids === 0 ? {} : { pids: { limit: pids } }),
    ...(blockIO && { blockIO }),
  };
}

function memoryLimits(host: HostConfig): SpecResources['memory'] {
  const { Memory: limit = 0, MemoryReservation: reservation = 0, MemorySwap: swap = 0 } = host;
  const swappiness = host.MemorySwappiness ?? -1;
  return present({
    ...(limit > 0 && { limit }),
    ...(reservation > 0 && { reservation }),
    ...(limit > 0 && swap !== 0 && { swap }),
    ...(swappiness >= 0 && { swappiness }),
    ...(host.OomKillDisable && { disableOOMKiller: true }),
  });
}

function cpuLimits(host: HostConfig): SpecResources['cpu'] {
  const { NanoCpus: nano = 0, CpusetCpus: cpus = '', CpusetMems: mems = '' } = host;
  const { period, quota } =
    nano > 0
      ? { period: 100_000, quota: Math.round((nano * 100_000) / 1e9) }
      : { period: host.CpuPeriod, quota: host.CpuQuota };
  return present({
    ...nonZero('shares', host.CpuShares),
    ...nonZero('quota', quota),
    ...nonZero('period', period),
    ...nonZero('realtimePeriod', host.CpuRealtimePeriod),
    ...nonZero('realtimeRuntime', host.CpuRealtimeRuntime),
    ...(cpus !== '' && { cpus }),
    ...(mems !== '' && { mems }),
  });
}

/** `{ [name]: value }`, or nothing for zero, which is "not set" on the wire. */
const nonZero = <K extends string>(name: K, value: number | undefined): Partial<Record<K, number>> =>
  value ? ({ [name]: value } as Partial<Record<K, number>>) : {};

function blockLimits(host: HostConfig, numbers: DeviceNumbers): SpecResources['blockIO'] {
  const throttles = (list: Throttles): readonly SpecThrottle[] =>
    (list ?? []).map((device) => ({ ...numbers(device.Path ?? ''), rate: device.Rate ?? 0 }));
  const weight = host.BlkioWeight ?? 0;
  const weights = (host.BlkioWeightDevice ?? []).map(({ Path = '', Weight = 0 }) => ({
    ...numbers(Path),
    weight: Weight,
  }));
  const readBps = throttles(host.BlkioDeviceReadBps);
  const writeBps = throttles(host.BlkioDeviceWriteBps);
  const readIops = throttles(host.BlkioDeviceReadIOps);
  const writeIops = throttles(host.BlkioDeviceWriteIOps);
  return present({
    ...(weight > 0 && { weight }),
    ...(weights.length > 0 && { weightDevice: weights }),
    ...(readBps.length > 0 && { throttleReadBpsDevice: readBps }),
    ...(writeBps.length > 0 && { throttleWriteBpsDevice: writeBps }),
    ...(readIops.length > 0 && { throttleReadIOPSDevice: readIops }),
    ...(writeIops.length > 0 && { throttleWriteIOPSDevice: writeIops }),
  });
}

const present = <T extends object>(value: T): T | undefined =>
  Object.keys(value).length > 0 ? value : undefined;
