import type { Ulimit } from '#api/types';
import type { CommandLimits } from '#build';
import { invalidArgument } from '#kernel';
import type { Exchange } from '../exchange.ts';

/** A whole number of the query; nothing for 0. */
function numberOf({ query }: Exchange, name: string): number | undefined {
  const text = query.text(name);
  if (text === '') return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalidArgument(`invalid ${name} ${JSON.stringify(text)}: it is not a whole number`);
  }
  return value === 0 ? undefined : value;
}

function ulimitsOf({ query }: Exchange): readonly Ulimit[] | undefined {
  const text = query.text('ulimits');
  if (text === '' || text === 'null') return undefined;
  try {
    const list: unknown = JSON.parse(text);
    // What is in it is checked where it is used.
    if (Array.isArray(list)) return list as readonly Ulimit[];
  } catch (error) {
    throw invalidArgument(`error reading ulimit settings: ${text}`, error);
  }
  throw invalidArgument(`error reading ulimit settings: ${text}`);
}

/** The limits of a build's commands, from the query of `POST /build`. Throws invalidArgument. */
export function buildLimitsOf(exchange: Exchange): CommandLimits {
  const { query } = exchange;
  const text = (name: string): string | undefined => query.text(name) || undefined;
  const limits = {
    Memory: numberOf(exchange, 'memory'),
    MemorySwap: numberOf(exchange, 'memswap'),
    CpuShares: numberOf(exchange, 'cpushares'),
    CpuPeriod: numberOf(exchange, 'cpuperiod'),
    CpuQuota: numberOf(exchange, 'cpuquota'),
    CpusetCpus: text('cpusetcpus'),
    CpusetMems: text('cpusetmems'),
    ShmSize: numberOf(exchange, 'shmsize'),
    CgroupParent: text('cgroupparent'),
    Ulimits: ulimitsOf(exchange),
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
