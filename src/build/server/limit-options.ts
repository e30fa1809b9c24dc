import type { Ulimit } from '#api/types';
import { invalidArgument } from '#kernel';
import type { CommandLimits } from '../limits.ts';
import { commaFields } from '../dockerfile/comma-fields.ts';

/** A client's options, by BuildKit's names of them. */
type Options = Readonly<Record<string, string>>;

/** `nofile=100:200`, `nofile=100`; -1 is unlimited (go-units, ParseUlimit). */
function parseUlimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (!match) throw invalidArgument(`failed to parse ulimit: invalid ulimit argument: ${text}`);
  const [, Name = '', soft = '', hard = soft] = match;
  const [Soft, Hard] = [Number(soft), Number(hard)];
  if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
    throw invalidArgument(
      `failed to parse ulimit: ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`,
    );
  }
  return { Name, Soft, Hard };
}

/** A whole number of at least `least`; undefined for none. */
function numberOf(options: Options, name: string, least: number): number | undefined {
  const text = options[name] ?? '';
  if (text === '') return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value) || value < least || value === 0) {
    throw invalidArgument(`failed to parse resource limits: invalid ${name} value: ${text}`);
  }
  return value;
}

function setOf(options: Options, name: string): string | undefined {
  const text = options[name] ?? '';
  if (text === '') return undefined;
  if (!/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text)) {
    throw invalidArgument(`failed to parse resource limits: invalid ${name} value: ${text}`);
  }
  return text;
}

/** The limits that a client sets, by BuildKit's names of its options. Throws invalidArgument. */
export function limitsOf(options: Options): CommandLimits {
  const ulimits = options['ulimit'] ?? '';
  const limits = {
    Memory: numberOf(options, 'memory', 1),
    MemorySwap: numberOf(options, 'memswap', -1),
    CpuShares: numberOf(options, 'cpushares', 1),
    CpuPeriod: numberOf(options, 'cpuperiod', 1),
    CpuQuota: numberOf(options, 'cpuquota', 1),
    CpusetCpus: setOf(options, 'cpusetcpus'),
    CpusetMems: setOf(options, 'cpusetmems'),
    ShmSize: numberOf(options, 'shm-size', 1),
    CgroupParent: options['cgroup-parent'],
    Ulimits: ulimits === '' ? undefined : commaFields(ulimits, ulimits).map(parseUlimit),
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

/** `db=10.0.0.1,web=::1` as lines of a hosts file have it: `db:10.0.0.1`. Throws invalidArgument. */
export function extraHostsOf(options: Options): readonly string[] {
  const text = options['add-hosts'] ?? '';
  if (text === '') return [];
  return commaFields(text, text).map((field) => {
    // Docker's own client writes `name:address`, BuildKit's `name=address`.
    const match = /^([^=:]+)[=:](.+)$/.exec(field);
    if (!match) throw invalidArgument(`failed to parse additional hosts: invalid key-value pair ${field}`);
    return `${(match[1] ?? '').toLowerCase()}:${match[2] ?? ''}`;
  });
}
