import ipaddr from 'ipaddr.js';
import type { RegistryProxies } from './registry-client.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy's address, and what it wants to hear of who asks. */
export interface ProxyChoice {
  /** Without user and password. */
  readonly uri: string;
  readonly authorization: string | undefined;
}

/**
 * The proxy for an address, by the rules that Docker takes from Go: NO_PROXY holds `*`, names (with what is below
 * them), `.names` (what is below them only), addresses and ranges, each with a port if need be. Loopback is never
 * reached through a proxy.
 */
export function proxyFor(
  url: URL,
  proxies: RegistryProxies | undefined,
  environment: Environment,
): ProxyChoice | undefined {
  const from = (name: string): string => environment[name] || environment[name.toLowerCase()] || '';
  const text =
    url.protocol === 'https:'
      ? (proxies?.https ?? from('HTTPS_PROXY'))
      : (proxies?.http ?? from('HTTP_PROXY'));
  if (text === '' || isExcepted(url, proxies?.no ?? from('NO_PROXY'))) return undefined;
  const address = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(address)) return undefined;
  const { username, password, origin, protocol, host } = new URL(address);
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    uri: origin === 'null' ? `${protocol}//${host}` : origin,
    authorization: username === '' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`,
  };
}

function isExcepted(url: URL, exceptions: string): boolean {
  const host = url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const address = ipaddr.isValid(host) ? ipaddr.process(host) : undefined;
  if (host === 'localhost' || address?.range() === 'loopback') return true;
  return exceptions
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .some((each) => each !== '' && matches(each, host, port, address));
}

function matches(
  exception: string,
  host: string,
  port: string,
  address: ipaddr.IPv4 | ipaddr.IPv6 | undefined,
): boolean {
  if (exception === '*') return true;
  if (ipaddr.isValidCIDR(exception)) {
    const range = ipaddr.parseCIDR(exception);
    return address !== undefined && range[0].kind() === address.kind() && address.match(range);
  }
  const { name, only } = withoutPort(exception);
  if (only !== undefined && only !== port) return false;
  if (ipaddr.isValid(name)) return address?.toString() === ipaddr.process(name).toString();
  if (name.startsWith('*.')) return host.endsWith(name.slice(1));
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

function withoutPort(exception: string): { readonly name: string; readonly only: string | undefined } {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:]+))(?::(?<port>\d+))?$/.exec(exception)?.groups;
  return { name: match?.['v6'] ?? match?.['name'] ?? exception, only: match?.['port'] };
}
