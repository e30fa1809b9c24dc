import { splitCsv } from './csv.ts';
import type { Flag } from './flag.ts';

/** One `--network`: a name, or `name=…,alias=…,ip=…`. */
export interface NetworkAttachment {
  readonly target: string;
  readonly aliases: readonly string[];
  readonly driverOpts: Readonly<Record<string, string>>;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly linkLocal: readonly string[];
  readonly mac: string;
  readonly priority: number;
}

export const networks = (usage: string): Flag<readonly NetworkAttachment[]> => ({
  type: 'network',
  usage,
  initial: [],
  shown: '',
  also: ['net'],
  parse: (text, before) => [...before, parseNetwork(text)],
});

const plain = (target: string): NetworkAttachment => ({
  target,
  aliases: [],
  driverOpts: {},
  ipv4: '',
  ipv6: '',
  linkLocal: [],
  mac: '',
  priority: 0,
});

export function parseNetwork(text: string): NetworkAttachment {
  if (!/\w+=\w+(,\w+=\w+)*/.test(text)) return plain(text);
  let network = plain('');
  for (const field of splitCsv(text)) {
    const at = field.indexOf('=');
    if (at < 0) throw new Error('invalid network config: ' + field);
    network = {
      ...network,
      ...readField(network, field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim()),
    };
  }
  if (network.target === '') throw new Error('network name/id is not specified');
  return network;
}

function readField(network: NetworkAttachment, key: string, value: string): Partial<NetworkAttachment> {
  switch (key) {
    case 'name':
      return { target: value };
    case 'alias':
      return { aliases: [...network.aliases, value] };
    case 'ip':
      return { ipv4: value };
    case 'ip6':
      return { ipv6: value };
    case 'mac-address':
      return { mac: checkMac(value) };
    case 'link-local-ip':
      return { linkLocal: [...network.linkLocal, value] };
    case 'driver-opt': {
      const at = value.indexOf('=');
      if (at <= 0) throw new Error('invalid key value pair format in driver options');
      return {
        driverOpts: {
          ...network.driverOpts,
          [value.slice(0, at).toLowerCase()]: value.slice(at + 1).toLowerCase(),
        },
      };
    }
    case 'gw-priority':
      if (!/^[+-]?\d+$/.test(value)) throw new Error(`invalid gw-priority (${value}): invalid syntax`);
      return { priority: Number(value) };
    default:
      throw new Error(`invalid field key ${key}`);
  }
}

export function checkMac(text: string): string {
  if (/^([\da-f]{2}([:-]))[\da-f]{2}(\2[\da-f]{2}){4}$|^[\da-f]{4}(\.[\da-f]{4}){2}$/i.test(text))
    return text;
  throw new Error(`${text} is not a valid mac address`);
}
