import { readFileSync } from 'node:fs';
import { parseAddress } from '../ip.ts';

/** What /etc/resolv.conf says (resolv.conf(5)). */
export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Reads what resolvers read; everything else is skipped. The last `search` or `domain` counts. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let search: string[] = [];
  const options: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) nameservers.push(values[0]);
    else if (keyword === 'search' || keyword === 'domain') search = values;
    else if (keyword === 'options') options.push(...values);
  }
  return { nameservers, search, options };
}

const isLoopback = (nameserver: string): boolean => {
  const address = parseAddress(nameserver.replace(/%.*$/, ''));
  return address?.family === 4 ? address.value >> 24n === 127n : address?.value === 1n;
};

/** What Docker falls back to when a host names no server that containers could reach. */
const publicNameservers = ['8.8.8.8', '8.8.4.4'];

/** systemd-resolved's own list of servers, where /etc/resolv.conf only names its stub. */
const behindStub = '/run/systemd/resolve/resolv.conf';

/**
 * Text of the host's file, as containers with a network of their own may use it: where its only server is
 * systemd-resolved's stub, the servers behind that. '' if there is none.
 */
export function readHostResolvConf(path = '/etc/resolv.conf', stubPath = behindStub): string {
  const text = read(path);
  const { nameservers } = parseResolvConf(text);
  if (nameservers.length !== 1 || nameservers[0] !== '127.0.0.53') return text;
  return read(stubPath) || text;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export interface ResolvConfRequest {
  /**
   * `resolver`: a user-defined network, which asks 127.0.0.11; `bridge`: the default bridge or none, which get servers
   * that they can reach; `host`: the host's own.
   */
  readonly mode: 'resolver' | 'bridge' | 'host';
  /** Text of the host's file. */
  readonly hostResolvConf: string;
  /** `--dns`, `--dns-search`, `--dns-option`; empty or undefined: the host's. */
  readonly dns?: readonly string[];
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/** The text of a container's /etc/resolv.conf. */
export function resolvConf(request: ResolvConfRequest): string {
  const host = parseResolvConf(request.hostResolvConf);
  const given = <T>(values: readonly T[] | undefined, otherwise: readonly T[]): readonly T[] =>
    values && values.length > 0 ? values : otherwise;
  // A lone dot means: no search list at all.
  const search = given(request.search, host.search).filter((name) => name !== '.');
  let options = given(request.options, host.options);
  let nameservers: readonly string[];
  if (request.mode === 'resolver') {
    nameservers = ['127.0.0.11'];
    if (!options.some((option) => option.startsWith('ndots:'))) options = [...options, 'ndots:0'];
  } else {
    nameservers = given(request.dns, hostNameservers(host, request.mode));
  }
  const lines = ['# Written by Wharf when the container started. Edits are kept until its next start.', ''];
  lines.push(...nameservers.map((nameserver) => `nameserver ${nameserver}`));
  if (search.length > 0) lines.push(`search ${search.join(' ')}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

function hostNameservers(host: ResolvConf, mode: 'bridge' | 'host'): readonly string[] {
  if (mode === 'host') return host.nameservers;
  const reachable = host.nameservers.filter((nameserver) => !isLoopback(nameserver));
  return reachable.length > 0 ? reachable : publicNameservers;
}
