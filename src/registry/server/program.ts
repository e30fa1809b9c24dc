import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { invalidArgument, messageOf, systemClock, type Logger } from '#kernel';
import type { AccessRule, Action } from './access.ts';
import { HtpasswdAuthenticator, parseHtpasswd } from './htpasswd.ts';
import { createRegistryServer, type RegistryServer, type RegistryServerOptions } from './registry-server.ts';

const flags = {
  root: { type: 'string', default: '/var/lib/wharf-registry' },
  listen: { type: 'string', default: '127.0.0.1:5000' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  htpasswd: { type: 'string' },
  access: { type: 'string' },
  'read-only': { type: 'boolean', default: false },
  'sparse-manifests': { type: 'boolean', default: false },
  'immutable-tags': { type: 'string', multiple: true },
  'gc-interval': { type: 'string', default: '60' },
  'gc-grace': { type: 'string', default: '60' },
  'gc-untagged': { type: 'boolean', default: false },
} as const;

/** Minutes, as a number. Throws invalidArgument. */
function minutes(flag: string, text: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0))
    throw invalidArgument(`--${flag}: ${JSON.stringify(text)} is no number of minutes`);
  return value * 60_000;
}

/** Throws invalidArgument. */
function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(?:\[?([^\]]*?)\]?:)?(\d+)$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535)
    throw invalidArgument(`--listen: ${JSON.stringify(text)} is no HOST:PORT`);
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}

const actions: readonly string[] = ['pull', 'push', 'delete'];

/** Throws invalidArgument. */
function parseAccess(path: string): readonly AccessRule[] {
  const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(document)) throw invalidArgument(`${path}: expected a list of rules`);
  return document.map((rule: unknown, index) => {
    const list = (name: string): readonly string[] => {
      const value: unknown = typeof rule === 'object' && rule !== null ? Reflect.get(rule, name) : undefined;
      if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
      throw invalidArgument(`${path}: rule ${index + 1} needs "${name}", a list of texts`);
    };
    const wanted = list('actions');
    const unknown = wanted.find((action) => !actions.includes(action));
    if (unknown !== undefined) throw invalidArgument(`${path}: rule ${index + 1}: unknown action ${unknown}`);
    // Just checked against the list.
    return { repositories: list('repositories'), users: list('users'), actions: wanted as Action[] };
  });
}

interface Settings extends Omit<RegistryServerOptions, 'clock' | 'logger'> {
  readonly address: { readonly host: string; readonly port: number };
  readonly collection: { readonly graceMs: number; readonly untagged: boolean };
  readonly intervalMs: number;
}

function parseSettings(argv: readonly string[]): Settings {
  const { values } = parseArgs({ args: [...argv], options: flags });
  const { 'tls-cert': cert, 'tls-key': key, htpasswd, access } = values;
  if ((cert === undefined) !== (key === undefined))
    throw invalidArgument('--tls-cert and --tls-key go together');
  if (access !== undefined && htpasswd === undefined) throw invalidArgument('--access needs --htpasswd');
  return {
    root: values.root,
    address: parseAddress(values.listen),
    readOnly: values['read-only'],
    sparseManifests: values['sparse-manifests'],
    immutableTags: values['immutable-tags'] ?? [],
    rules: access === undefined ? undefined : parseAccess(access),
    authenticator:
      htpasswd === undefined
        ? undefined
        : new HtpasswdAuthenticator(parseHtpasswd(readFileSync(htpasswd, 'utf8'))),
    tls:
      cert === undefined || key === undefined
        ? undefined
        : { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') },
    intervalMs: minutes('gc-interval', values['gc-interval']),
    collection: { graceMs: minutes('gc-grace', values['gc-grace']), untagged: values['gc-untagged'] },
  };
}

/** Serves until SIGINT or SIGTERM. Resolves to the exit code. */
export async function runRegistry(argv: readonly string[], logger: Logger): Promise<number> {
  let settings: Settings;
  try {
    settings = parseSettings(argv);
  } catch (error) {
    process.stderr.write(`wharf registry: ${messageOf(error)}\n`);
    return 125;
  }
  await using server = await createRegistryServer({ ...settings, clock: systemClock, logger });
  const { host } = settings.address;
  const port = await server.listen(settings.address);
  const scheme = settings.tls ? 'https' : 'http';
  process.stderr.write(`The registry ${settings.root} is served on ${scheme}://${host}:${port}\n`);
  const stopped = Promise.withResolvers<undefined>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve(undefined));
  const timer = settings.intervalMs === 0 ? undefined : collectEvery(server, settings, logger);
  await stopped.promise;
  clearInterval(timer);
  return 0;
}

function collectEvery(server: RegistryServer, settings: Settings, logger: Logger): NodeJS.Timeout {
  let running = false;
  return setInterval(() => {
    if (running) return;
    running = true;
    server
      .collect(settings.collection)
      .then((collected) => logger.info({ ...collected }, 'garbage collected'))
      .catch((error: unknown) => logger.error({ error: messageOf(error) }, 'garbage collection failed'))
      .finally(() => (running = false));
  }, settings.intervalMs);
}
