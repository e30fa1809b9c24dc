import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument } from '#kernel';

export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** The text of /etc/hosts: the loopback names, then `entries`. */
export function hostsFile(entries: readonly HostsEntry[], options: { readonly ipv6: boolean }): string {
  const lines = ['127.0.0.1\tlocalhost'];
  if (options.ipv6) {
    lines.push(
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::\tip6-localnet',
      'ff00::\tip6-mcastprefix',
      'ff02::1\tip6-allnodes',
      'ff02::2\tip6-allrouters',
    );
  }
  for (const { address, names } of entries) lines.push(`${address}\t${names.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

/** `name:address` or `name=address`, with `host-gateway` replaced. Throws invalidArgument. */
export function extraHosts(extra: readonly string[], hostGateway: string | undefined): readonly HostsEntry[] {
  return extra.map((text) => {
    const match = /^([^:=]+)[:=]\[?([^\]]+)\]?$/.exec(text);
    const name = match?.[1];
    let address = match?.[2];
    if (name === undefined || address === undefined)
      throw invalidArgument(`bad format for add-host: "${text}"`);
    if (address === 'host-gateway') {
      if (hostGateway === undefined) {
        throw invalidArgument('unable to derive the IP value for host-gateway');
      }
      address = hostGateway;
    }
    return { address, names: [name] };
  });
}

export interface EtcFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** The name in the state folder under which what was written last is kept, to tell a container's own edits. */
const copyOf = (name: string): string => `.${name}`;

/** At once: a way through the pool takes longer than these few bytes. */
function write(path: string, text: string): void {
  // In place, not renamed: the file may be mounted in a container that keeps running.
  writeFileSync(path, text, { mode: 0o644 });
  chmodSync(path, 0o644);
}

/** Writes the three files that are bind-mounted over the image's. */
export function writeEtcFiles(folder: string, files: EtcFiles): void {
  mkdirSync(folder, { recursive: true, mode: 0o710 });
  write(join(folder, 'hostname'), `${files.hostname}\n`);
  for (const [name, text] of generated(files)) {
    write(join(folder, name), text);
    write(join(folder, copyOf(name)), text);
  }
}

/** Writes hosts and resolv.conf of a running container anew; the lines it has added to hosts and an edited resolv.conf stay. */
export function updateEtcFiles(folder: string, files: EtcFiles): void {
  for (const [name, text] of generated(files)) {
    const before = read(join(folder, copyOf(name)));
    const present = read(join(folder, name)) ?? before;
    write(join(folder, copyOf(name)), text);
    if (before === undefined || present === before) write(join(folder, name), text);
    else if (name === 'hosts') write(join(folder, name), text + addedLines(before, present ?? ''));
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const generated = (files: EtcFiles): readonly (readonly [string, string])[] => [
  ['hosts', files.hosts],
  ['resolv.conf', files.resolvConf],
];

function addedLines(before: string, present: string): string {
  const known = new Set(before.split('\n'));
  return present
    .split('\n')
    .filter((line) => !known.has(line))
    .map((line) => `${line}\n`)
    .join('');
}
