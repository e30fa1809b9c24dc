import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import { invalidArgument } from '#kernel';

/** Where a registry may be reached. */
export interface Endpoint {
  /** Addresses to try, in order, without `/v2/`. */
  readonly bases: readonly URL[];
  /** False: plain HTTP and unverified certificates are allowed. */
  readonly isSecure: boolean;
  readonly isMirror: boolean;
}

const hubDomain = 'docker.io';
const hubHost = 'registry-1.docker.io';
const hubNames = new Set([hubDomain, 'index.docker.io', hubHost]);
const loopback = ['127.0.0.0/8', '::1/128'].map((text) => ipaddr.parseCIDR(text));

const contains = (range: [ipaddr.IPv4 | ipaddr.IPv6, number], address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  range[0].kind() === address.kind() && address.match(range);

/** Which hosts need no TLS: loopback, and what the configuration names (`registry.local:5000`, `10.0.0.0/8`). */
export class InsecureHosts {
  readonly #hosts = new Set<string>();
  readonly #ranges = [...loopback];

  constructor(configured: readonly string[]) {
    for (const each of configured) {
      if (ipaddr.isValidCIDR(each)) this.#ranges.push(ipaddr.parseCIDR(each));
      else
        this.#hosts.add(
          each
            .toLowerCase()
            .replace(/^https?:\/\//, '')
            .replace(/\/+$/, ''),
        );
    }
  }

  /** `host` as in a reference, with or without a port. A name counts as insecure if one of its addresses does. */
  async has(host: string): Promise<boolean> {
    if (this.#hosts.has(host.toLowerCase())) return true;
    const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    if (this.#hosts.has(name.toLowerCase())) return true;
    if (ipaddr.isValid(name)) return this.#inRange(name);
    if (name === 'localhost') return true;
    // Only a range that someone configured makes a name worth looking up.
    if (this.#ranges.length === loopback.length) return false;
    const found = await lookup(name, { all: true }).catch(() => []);
    return found.some(({ address }) => this.#inRange(address));
  }

  #inRange(address: string): boolean {
    const parsed = ipaddr.process(address);
    return this.#ranges.some((range) => contains(range, parsed));
  }
}

const hostOf = (domain: string): string => (hubNames.has(domain) ? hubHost : domain);

/** The registry itself. */
export async function endpointOf(domain: string, insecure: InsecureHosts): Promise<Endpoint> {
  const host = hostOf(domain);
  const isSecure = !(await insecure.has(host));
  const schemes = isSecure ? ['https'] : ['https', 'http'];
  return { bases: schemes.map((scheme) => baseUrl(`${scheme}://${host}/`)), isSecure, isMirror: false };
}

/** Where to pull from: for docker.io the mirrors first. */
export async function pullEndpoints(
  domain: string,
  mirrors: readonly string[],
  insecure: InsecureHosts,
): Promise<readonly Endpoint[]> {
  const own = await endpointOf(domain, insecure);
  if (!hubNames.has(domain)) return [own];
  const before: Endpoint[] = [];
  for (const mirror of mirrors) {
    const base = baseUrl(mirror.endsWith('/') ? mirror : `${mirror}/`);
    before.push({ bases: [base], isSecure: !(await insecure.has(base.host)), isMirror: true });
  }
  return [...before, own];
}

function baseUrl(text: string): URL {
  if (!URL.canParse(text)) throw invalidArgument(`invalid registry address ${JSON.stringify(text)}`);
  return new URL(text);
}

/** The host that `docker login` was given: `https://index.docker.io/v1/`, `host:5000`, `http://host/`. */
export function domainOfServer(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  if (host === '' || hubNames.has(host)) return hubDomain;
  return host;
}
