import type { AuthConfig } from '#api/types';
import { messageOf } from '#kernel';
import type { ConfigFile, StoredAuth } from './config-file.ts';

/** Docker Hub's key in config.json. */
export const hubServer = 'https://index.docker.io/v1/';

/** The key under which config.json keeps the credentials of a registry. */
export const serverKey = (domain: string): string => (domain === 'docker.io' ? hubServer : domain);

/** The value of X-Registry-Auth for a registry; `{}` when nothing is stored. */
export function registryAuth(config: ConfigFile, domain: string): string {
  return Buffer.from(JSON.stringify(findAuth(config, domain) ?? {})).toString('base64url');
}

/** What is stored for a registry, in config.json or with a credential helper. */
export function findAuth(config: ConfigFile, domain: string): AuthConfig | undefined {
  const key = serverKey(domain);
  const helper = helperFor(config, key);
  if (helper !== undefined) return askHelper(helper, key);
  const stored = storedFor(config, key);
  if (!stored) return undefined;
  const plain = Buffer.from(stored.auth ?? '', 'base64')
    .toString()
    .replace(/\0+$/, '');
  const at = plain.indexOf(':');
  return {
    ...(at > 0 && { username: plain.slice(0, at), password: plain.slice(at + 1) }),
    serveraddress: key,
    ...(stored.identitytoken !== undefined && { identitytoken: stored.identitytoken }),
    ...(stored.registrytoken !== undefined && { registrytoken: stored.registrytoken }),
  };
}

/** Older files name registries by URL. */
function storedFor(config: ConfigFile, key: string): StoredAuth | undefined {
  const auths = config.data.auths ?? {};
  if (Object.hasOwn(auths, key)) return auths[key];
  const bare = (name: string): string => name.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return Object.entries(auths).find(([name]) => bare(name) === bare(key))?.[1];
}

export const helperFor = (config: ConfigFile, key: string): string | undefined =>
  config.data.credHelpers?.[key] ?? (config.data.credsStore === '' ? undefined : config.data.credsStore);

function askHelper(helper: string, key: string): AuthConfig | undefined {
  try {
    const { Username = '', Secret = '' } = JSON.parse(runHelper(helper, 'get', key)) as {
      Username?: string;
      Secret?: string;
    };
    if (Username === '<token>') return { identitytoken: Secret, serveraddress: key };
    return { username: Username, password: Secret, serveraddress: key };
  } catch (error) {
    if (messageOf(error).includes('credentials not found')) return undefined;
    throw error;
  }
}

/** Speaks to `docker-credential-<helper>`: the request on its standard input, the answer on its output. */
export function runHelper(helper: string, verb: 'get' | 'store' | 'erase', input: string): string {
  const result = spawnHelper(`docker-credential-${helper}`, verb, input);
  if (result.status !== 0) {
    throw new Error(`error getting credentials - err: ${result.reason}, out: \`${result.stdout.trim()}\``);
  }
  return result.stdout;
}

function spawnHelper(
  program: string,
  verb: string,
  input: string,
): { status: number; stdout: string; reason: string } {
  // Loaded only where a helper is configured.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, stdout, error } = spawnSync(program, [verb], { input, encoding: 'utf8' });
  if (error)
    return { status: -1, stdout: '', reason: `exec: "${program}": executable file not found in $PATH` };
  return { status: status ?? -1, stdout, reason: `exit status ${status ?? -1}` };
}
