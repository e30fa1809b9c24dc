import type { PortBinding } from '#api/types';
import { splitCsv } from './csv.ts';
import { isAddress } from './ip.ts';

/** Ports as the engine takes them. */
export interface PublishedPorts {
  readonly exposed: readonly string[];
  readonly bindings: Readonly<Record<string, readonly PortBinding[]>>;
}

/** Reads every `--publish`. Throws Docker's texts. */
export function parsePublished(texts: readonly string[]): PublishedPorts {
  const bindings: Record<string, PortBinding[]> = {};
  for (const text of texts) {
    for (const { port, binding } of parseSpec(toShort(text))) (bindings[port] ??= []).push(binding);
  }
  return { exposed: Object.keys(bindings), bindings };
}

/** `published=8080,target=80,protocol=udp` as `8080:80/udp`. */
function toShort(text: string): string {
  if (!text.includes('=')) return text;
  const fields = { published: '', target: '', protocol: 'tcp' };
  for (const field of splitCsv(text)) {
    const [key = '', value = '', ...more] = field.split('=');
    if (!field.includes('=') || more.length > 0)
      throw new Error(`invalid publish opts format (should be name=value but got '${field}')`);
    if (key === 'published' || key === 'target' || key === 'protocol') fields[key] = value;
    else if (key !== 'mode') throw new Error(`invalid publish opts format (unexpected key '${key}')`);
  }
  return `${fields.published}:${fields.target}/${fields.protocol}`;
}

interface Spec {
  readonly port: string;
  readonly binding: PortBinding;
}

function parseSpec(text: string): Spec[] {
  const { address, host, container } = splitSpec(text);
  const ip = checkAddress(address);
  const slash = container.lastIndexOf('/');
  const ports = slash < 0 ? container : container.slice(0, slash);
  const protocol = slash < 0 ? 'tcp' : container.slice(slash + 1) || 'tcp';
  if (ports === '') throw new Error(`No port specified: ${text}<empty>`);
  const inside = parseRange(ports);
  if (!inside) throw new Error(`Invalid containerPort: ${ports}`);
  const outside = host === '' ? undefined : parseRange(host);
  if (host !== '' && !outside) throw new Error(`Invalid hostPort: ${host}`);
  const count = inside.last - inside.first;
  // A range outside for a single port inside lets the engine choose.
  const choose = outside !== undefined && count === 0 && outside.last > outside.first;
  if (outside && !choose && outside.last - outside.first !== count) {
    throw new Error(`Invalid ranges specified for container and host Ports: ${ports} and ${host}`);
  }
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) throw new Error(`Invalid proto: ${protocol}`);
  return Array.from({ length: count + 1 }, (_, at) => ({
    port: `${inside.first + at}/${protocol.toLowerCase()}`,
    binding: {
      HostIp: ip,
      HostPort: !outside ? '' : choose ? `${outside.first}-${outside.last}` : String(outside.first + at),
    },
  }));
}

function splitSpec(text: string): { address: string; host: string; container: string } {
  const parts = text.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  return { address: parts.join(':'), host, container };
}

function checkAddress(address: string): string {
  if (address === '') return '';
  const bracketed = /^\[(.*)\]$/.exec(address)?.[1];
  if (bracketed === undefined && address.includes(':')) {
    throw new Error(`Invalid ip address ${address}: address ${address}:: too many colons in address`);
  }
  const plain = bracketed ?? address;
  if (!isAddress(plain)) throw new Error(`Invalid ip address: ${plain}`);
  return plain;
}

function parseRange(text: string): { first: number; last: number } | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first > 65535 || last > 65535 || last < first ? undefined : { first, last };
}

/** Reads every `--expose` into `80/tcp`. */
export function parseExposed(texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    if (text.includes(':')) throw new Error(`invalid port format for --expose: ${text}`);
    const slash = text.indexOf('/');
    const ports = slash < 0 ? text : text.slice(0, slash);
    const protocol = slash < 0 ? 'tcp' : text.slice(slash + 1) || 'tcp';
    const range = parseRange(ports);
    if (!range) throw new Error(`invalid range format for --expose: ${text}, error: ${whyNoRange(ports)}`);
    return Array.from({ length: range.last - range.first + 1 }, (_, at) => `${range.first + at}/${protocol}`);
  });
}

function whyNoRange(text: string): string {
  if (text === '') return 'empty string specified for ports';
  const bad = text.split('-').find((part) => !/^\d+$/.test(part));
  if (bad !== undefined) return `strconv.ParseUint: parsing ${JSON.stringify(bad)}: invalid syntax`;
  if (text.split('-').some((part) => Number(part) > 65535)) {
    return `strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`;
  }
  return `invalid range specified for port: ${text}`;
}
