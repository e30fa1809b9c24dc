import type { DeviceRequest, ThrottleDevice, Ulimit, WeightDevice } from '#api/types';
import { parseBinarySize } from '../format/units.ts';
import { splitCsv } from './csv.ts';
import type { Flag } from './flag.ts';

const ulimitNames = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  ),
);

/** `--ulimit name=soft[:hard]`; of two for a name the last one counts. */
export const ulimits = (usage: string): Flag<readonly Ulimit[]> => ({
  type: 'ulimit',
  usage,
  initial: [],
  shown: '[]',
  parse(text, before) {
    const ulimit = parseUlimit(text);
    return [...before.filter(({ Name }) => Name !== ulimit.Name), ulimit];
  },
});

function parseUlimit(text: string): Ulimit {
  const at = text.indexOf('=');
  if (at < 0) throw new Error(`invalid ulimit argument: ${text}`);
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (!ulimitNames.has(name)) throw new Error(`invalid ulimit type: ${name}`);
  const parts = value.split(':');
  if (parts.length > 2) {
    throw new Error(`too many limit value arguments - ${value}, can only have up to two, \`soft[:hard]\``);
  }
  const [soft = 0, hard = soft] = parts.map((part) => {
    if (!/^[+-]?\d+$/.test(part))
      throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(part)}: invalid syntax`);
    return Number(part);
  });
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw new Error(
      `ulimit soft limit must be less than or equal to hard limit: ${soft === -1 ? 'soft: -1 (unlimited), hard: ' + String(hard) : `${soft} > ${hard}`}`,
    );
  }
  return { Name: name, Soft: soft, Hard: hard };
}

function device<T>(
  usage: string,
  read: (path: string, value: string, text: string) => T,
): Flag<readonly T[]> {
  return {
    type: 'list',
    usage,
    initial: [],
    shown: '[]',
    parse(text, before) {
      const at = text.indexOf(':');
      if (at <= 0 || at === text.length - 1) throw new Error(`bad format: ${text}`);
      if (!text.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`);
      return [...before, read(text.slice(0, at), text.slice(at + 1), text)];
    },
  };
}

/** `--blkio-weight-device /dev/sda:200` */
export const weightDevices = (usage: string): Flag<readonly WeightDevice[]> =>
  device(usage, (Path, value, text) => {
    const weight = /^\d+$/.test(value) ? Number(value) : -1;
    if (weight < 0 || (weight > 0 && (weight < 10 || weight > 1000)))
      throw new Error(`invalid weight for device: ${text}`);
    return { Path, Weight: weight };
  });

/** `--device-read-bps /dev/sda:1mb` */
export const throttleBytes = (usage: string): Flag<readonly ThrottleDevice[]> =>
  device(usage, (Path, value, text) => {
    try {
      return { Path, Rate: parseBinarySize(value) };
    } catch {
      throw new Error(
        `invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
      );
    }
  });

/** `--device-read-iops /dev/sda:10` */
export const throttleOperations = (usage: string): Flag<readonly ThrottleDevice[]> =>
  device(usage, (Path, value, text) => {
    if (/^\d+$/.test(value)) return { Path, Rate: Number(value) };
    throw new Error(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
    );
  });

/** `--gpus all`, `--gpus 2`, `--gpus "driver=x,device=0"` */
export const gpus = (usage: string): Flag<readonly DeviceRequest[]> => ({
  type: 'gpu-request',
  usage,
  initial: [],
  shown: '',
  parse: (text, before) => [...before, parseGpus(text)],
});

function parseGpus(text: string): DeviceRequest {
  let count: number | undefined;
  let ids: readonly string[] | undefined;
  let driver = '';
  const capabilities = ['gpu'];
  const options: Record<string, string> = {};
  const seen = new Set<string>();
  for (const field of splitCsv(text)) {
    const at = field.indexOf('=');
    const key = at < 0 ? 'count' : field.slice(0, at);
    const value = at < 0 ? field : field.slice(at + 1);
    if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`);
    seen.add(key);
    if (key === 'count') count = parseCount(value);
    else if (key === 'device') ids = value.split(',');
    else if (key === 'driver') driver = value;
    else if (key === 'capabilities') capabilities.push(...value.split(','));
    else if (key === 'options') {
      for (const option of splitCsv(value)) {
        const [name = '', ...rest] = option.split('=');
        options[name] = rest.join('=');
      }
    } else throw new Error(`unexpected key '${key}' in '${field}'`);
  }
  // With neither a count nor devices Docker asks for one.
  const amount = count ?? (ids ? 0 : 1);
  return {
    Driver: driver,
    Count: amount,
    DeviceIDs: ids ?? null,
    Capabilities: [capabilities],
    Options: options,
  };
}

function parseCount(text: string): number {
  if (text === 'all') return -1;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`);
}
