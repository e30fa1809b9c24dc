import { readFileSync } from 'node:fs';
import { errnoOf, messageOf } from '#kernel';
import { isAddress } from './ip.ts';

/** Checks and rewritings of single values of repeated options; they throw Docker's texts. */

type Environment = Readonly<Record<string, string | undefined>>;

export function envWord(text: string): string {
  if (text === '' || text.startsWith('=')) throw new Error(`invalid environment variable: ${text}`);
  return text;
}

/** `NAME` alone takes the client's own value; without one it asks the engine to remove the image's. */
export function resolveEnvWord(text: string, env: Environment): string {
  const own = text.includes('=') ? undefined : env[text];
  return own === undefined ? text : `${text}=${own}`;
}

export function labelWord(text: string): string {
  if (text === '') throw new Error('invalid label: empty name');
  if (text.startsWith('=')) throw new Error(`invalid label '${text}': empty name`);
  return text;
}

export function attachWord(text: string): string {
  const stream = text.toLowerCase();
  if (!['stdin', 'stdout', 'stderr'].includes(stream))
    throw new Error('valid streams are STDIN, STDOUT and STDERR');
  return stream;
}

export function addressWord(text: string): string {
  const address = text.trim();
  if (!isAddress(address)) throw new Error(`IP address is not correctly formatted: ${address}`);
  return address;
}

export function domainWord(text: string): string {
  const domain = text.trim();
  if (domain === '.') return domain;
  if (
    domain.length <= 255 &&
    /^(?:[a-z\d](?:[a-z\d_-]*[a-z\d])?\.)*[a-z\d](?:[a-z\d_-]*[a-z\d])?\.?$/i.test(domain)
  ) {
    return domain.replace(/\.$/, '');
  }
  throw new Error(`${domain} is not a valid domain`);
}

export function hostWord(text: string): string {
  const match = /^([^=:]+)[=:](.+)$/.exec(text);
  const [, name = '', address = ''] = match ?? [];
  if (!match) throw new Error(`bad format for add-host: ${JSON.stringify(text)}`);
  if (address === 'host-gateway') return `${name}:${address}`;
  const plain = address.replace(/^\[(.*)\]$/, '$1');
  if (!isAddress(plain)) throw new Error(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  return `${name}:${plain}`;
}

export function linkWord(text: string): string {
  if (text === '') throw new Error('empty string specified for links');
  if (text.split(':').length > 2) throw new Error(`bad format for links: ${text}`);
  return text;
}

export function deviceRuleWord(text: string): string {
  if (/^[acb] (?:\d+|\*):(?:\d+|\*) [rwm]{1,3}$/.test(text)) return text;
  throw new Error(`invalid device cgroup format '${text}'`);
}

export function sysctlWord(text: string): string {
  const name = text.split('=')[0] ?? '';
  const allowed = [
    'kernel.msgmax',
    'kernel.msgmnb',
    'kernel.msgmni',
    'kernel.sem',
    'kernel.shmall',
    'kernel.shmmax',
    'kernel.shmmni',
    'kernel.shm_rmid_forced',
  ];
  if (
    text.includes('=') &&
    (allowed.includes(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.'))
  )
    return text;
  throw new Error(`sysctl '${text}' is not allowed`);
}

/** The lines of an environment or label file: comments and blank lines skipped, `NAME` looked up in `env`. */
export function readWordFile(path: string, env: Environment | undefined): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      throw new Error(`open ${path}: no such file or directory`, { cause: error });
    throw new Error(`open ${path}: ${messageOf(error)}`, { cause: error });
  }
  const words: string[] = [];
  for (const raw of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const at = line.indexOf('=');
    const name = at < 0 ? line.trim() : line.slice(0, at);
    if (name === '') throw new Error(`no variable name on line '${line}'`);
    if (/[ \t]/.test(name)) throw new Error(`variable '${name}' contains whitespaces`);
    if (at >= 0) words.push(line);
    else {
      const own = env?.[name];
      if (own !== undefined) words.push(`${name}=${own}`);
    }
  }
  return words;
}
