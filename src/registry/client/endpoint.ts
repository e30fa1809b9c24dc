import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import { invalidArgument } from '#kernel';
import type { CertificateFolders, Trust } from './trust.ts';

/** Where a registry may be reached. */
export interface Endpoint {
  /** Addresses to try, in order, without `/v2/`. */
  readonly bases: readonly URL[];
  /** An unverified one allows plain HTTP too. */
  readonly trust: Trust;
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

/** What the configuration says of places. */
export interface Places {
  readonly insecure: InsecureHosts;
  readonly certificates: CertificateFolders;
}

async function trustOf(hosts: readonly string[], { insecure, certificates }: Places): Promise<Trust> {
  const [host = ''] = hosts;
  return await certificates.trust(hosts, !(await insecure.has(host)));
}

/** The registry itself. */
export async function endpointOf(domain: string, places: Places): Promise<Endpoint> {
  const host = hostOf(domain);
  const trust = await trustOf(host === domain ? [host] : [host, hubDomain], places);
  const schemes = trust.verifies ? ['https'] : ['https', 'http'];
  return { bases: schemes.map((scheme) => baseUrl(`${scheme}://${host}/`)), trust, isMirror: false };
}

/** Where to pull from: the registry's mirrors first, then itself. */
export async function pullEndpoints(
  domain: string,
  mirrors: readonly string[],
  places: Places,
): Promise<readonly Endpoint[]> {
  const own = await endpointOf(domain, places);
  const before: Endpoint[] = [];
  for (const { of, address } of mirrors.map(parseMirror)) {
    if (hostOf(of) !== hostOf(domain)) continue;
    const base = baseUrl(address.endsWith('/') ? address : `${address}/`);
    before.push({ bases: [base], trust: await trustOf([base.host], places), isMirror: true });
  }
  return [...before, own];
}

/** `https://mirror` is Docker Hub's, `ghcr.io=https://mirror` another registry's. */
export function parseMirror(text: string): { readonly of: string; readonly address: string } {
  const match = /^([^=/]+)=(.*)$/.exec(text);
  return { of: match?.[1] ?? hubDomain, address: match?.[2] ?? text };
}

export function baseUrl(text: string): URL {
  if (!URL.canParse(text)) throw invalidArgument(`invalid registry address ${JSON.stringify(text)}`);
  return new URL(text);
}

/** The host that `docker login` was given: `https://index.docker.io/v1/`, `host:5000`, `http://host/`. */
export function domainOfServer(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  if (host === '' || hubNames.has(host)) return hubDomain;
  return host;
}
