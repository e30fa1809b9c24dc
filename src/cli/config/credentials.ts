import type { AuthConfig } from '#api/types';
import type { ConfigFile, StoredAuth } from './config-file.ts';
import {
  eraseWithHelper,
  getFromHelper,
  storeWithHelper,
  type HelperCredentials,
} from './credential-helper.ts';

/** Docker Hub's key in config.json. */
export const hubServer = 'https://index.docker.io/v1/';

/** The key under which config.json keeps the credentials of a registry. */
export const serverKey = (domain: string): string => (domain === 'docker.io' ? hubServer : domain);

/** The value of X-Registry-Auth for a registry; `{}` when nothing is stored. */
export function registryAuth(config: ConfigFile, domain: string): string {
  return Buffer.from(JSON.stringify(findAuth(config, domain) ?? {})).toString('base64url');
}

/**
 * What is known for a registry: from the variable DOCKER_AUTH_CONFIG, with a credential helper, or in config.json. A
 * helper that fails has nothing, as with Docker.
 */
export function findAuth(config: ConfigFile, domain: string): AuthConfig | undefined {
  const key = serverKey(domain);
  const given = storedFor(variableAuths(), key);
  if (given) return authOf(given, key);
  const helper = helperFor(config, key);
  if (helper !== undefined) return askHelper(helper, key);
  const stored = storedFor(config.data.auths ?? {}, key);
  return stored && authOf(stored, key);
}

function authOf(stored: StoredAuth, key: string): AuthConfig {
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

/** `auths` of DOCKER_AUTH_CONFIG, which build machines set in place of a file. */
function variableAuths(): Readonly<Record<string, StoredAuth>> {
  const text = process.env['DOCKER_AUTH_CONFIG'] ?? '';
  if (text === '') return {};
  try {
    return (JSON.parse(text) as { auths?: Record<string, StoredAuth> } | null)?.auths ?? {};
  } catch {
    return {};
  }
}

/** Older files name registries by URL. */
function storedFor(auths: Readonly<Record<string, StoredAuth>>, key: string): StoredAuth | undefined {
  if (Object.hasOwn(auths, key)) return auths[key];
  const bare = (name: string): string => name.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return Object.entries(auths).find(([name]) => bare(name) === bare(key))?.[1];
}

const helperFor = (config: ConfigFile, key: string): string | undefined =>
  config.data.credHelpers?.[key] ?? (config.data.credsStore === '' ? undefined : config.data.credsStore);

function askHelper(helper: string, key: string): AuthConfig | undefined {
  let found: HelperCredentials | undefined;
  try {
    found = getFromHelper(helper, key);
  } catch {
    return undefined;
  }
  if (!found) return undefined;
  if (found.Username === '<token>') return { identitytoken: found.Secret, serveraddress: key };
  return { username: found.Username, password: found.Secret, serveraddress: key };
}

/** Keeps credentials with the helper or in config.json; a token in place of the password, if there is one. */
export function storeAuth(
  config: ConfigFile,
  key: string,
  { username, password, token }: { username: string; password: string; token: string },
): { readonly isPlain: boolean } {
  const helper = helperFor(config, key);
  const before = config.data.auths ?? {};
  if (helper !== undefined) {
    const secret =
      token === '' ? { Username: username, Secret: password } : { Username: '<token>', Secret: token };
    storeWithHelper(helper, key, secret);
    save(config, { ...before, [key]: {} });
    return { isPlain: false };
  }
  const auth = Buffer.from(token === '' ? `${username}:${password}` : `${username}:`).toString('base64');
  const stored: StoredAuth = { auth, ...(token !== '' && { identitytoken: token }) };
  // What is there already is no news.
  if (JSON.stringify(before[key]) === JSON.stringify(stored)) return { isPlain: false };
  save(config, { ...before, [key]: stored });
  return { isPlain: true };
}

/** Forgets a registry under every name that older clients gave it. */
export function eraseAuth(config: ConfigFile, key: string): void {
  const names = [key, `http://${key}`, `https://${key}`];
  for (const name of names) {
    const helper = helperFor(config, name);
    if (helper !== undefined) eraseWithHelper(helper, name);
  }
  const { auths } = config.data;
  if (auths === undefined) return;
  save(config, Object.fromEntries(Object.entries(auths).filter(([name]) => !names.includes(name))));
}

function save(config: ConfigFile, auths: Record<string, StoredAuth>): void {
  config.data.auths = auths;
  config.save();
}
