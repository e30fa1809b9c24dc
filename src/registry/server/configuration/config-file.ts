import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { invalidArgument, messageOf } from '#kernel';
import type { AccessRule, Action } from '../access.ts';
import type { EndpointSettings } from '../notifications/endpoint.ts';
import type { QuotaRule } from '../quotas.ts';
import type { RetentionRule } from '../retention/rules.ts';
import { readFields, readList, type Fields } from './fields.ts';
import { parseSize, parseSpan } from './units.ts';

/** What `--config` says; read again at SIGHUP. */
export interface ConfigFile {
  readonly access: readonly AccessRule[] | undefined;
  readonly readOnly: boolean;
  /** `repository:tag` patterns. */
  readonly immutableTags: readonly string[];
  /** `repository:tag` patterns of tags that no retention rule removes. */
  readonly protectedTags: readonly string[];
  readonly retention: readonly RetentionRule[];
  readonly quotas: readonly QuotaRule[];
  readonly webhooks: readonly EndpointSettings[];
}

export const emptyConfig: ConfigFile = {
  access: undefined,
  readOnly: false,
  immutableTags: [],
  protectedTags: [],
  retention: [],
  quotas: [],
  webhooks: [],
};

const actions: readonly Action[] = ['pull', 'push', 'delete'];

/**
 * Reads YAML, and so JSON; paths in it are seen from its folder. Throws invalidArgument that names the file and the
 * place in it.
 */
export function readConfigFile(path: string): ConfigFile {
  const folder = dirname(path);
  return inFile(path, (document) => readFields(document ?? {}, '', (fields) => config(fields, folder)));
}

/** The rules of `--access`: the list alone. Throws invalidArgument. */
export function readAccessFile(path: string): readonly AccessRule[] {
  return inFile(path, (document) => readList(document, '', access));
}

function inFile<T>(path: string, read: (document: unknown) => T): T {
  try {
    const document: unknown = parse(readFileSync(path, 'utf8'));
    return read(document);
  } catch (error) {
    throw invalidArgument(`${path}: ${messageOf(error)}`, error);
  }
}

const config = (fields: Fields, folder: string): ConfigFile => ({
  access: fields.has('access') ? fields.objects('access', access) : undefined,
  readOnly: fields.has('readOnly') && fields.boolean('readOnly'),
  immutableTags: fields.has('immutableTags') ? fields.strings('immutableTags') : [],
  protectedTags: fields.has('protectedTags') ? fields.strings('protectedTags') : [],
  retention: fields.objects('retention', retention),
  quotas: fields.objects('quotas', quota),
  webhooks: unique(
    fields,
    fields.objects('webhooks', (each) => webhook(each, folder)),
  ),
});

const access = (fields: Fields): AccessRule => ({
  repositories: fields.strings('repositories'),
  users: fields.strings('users'),
  actions: fields.choices('actions', actions),
});

const optional = <T>(fields: Fields, name: string, read: (name: string) => T): T | undefined =>
  fields.has(name) ? read(name) : undefined;

const span = (fields: Fields, name: string): number | undefined =>
  optional(fields, name, () => fields.parsed(name, parseSpan));

function retention(fields: Fields): RetentionRule {
  const keep = fields.object('keep', (inner) => ({
    last: optional(inner, 'last', () => inner.count('last', 0)),
    pushedWithin: span(inner, 'pushedWithin'),
    pulledWithin: span(inner, 'pulledWithin'),
    tags: optional(inner, 'tags', () => inner.strings('tags')),
  }));
  if (Object.values(keep).every((value) => value === undefined)) {
    throw fields.wrong('keep', 'says nothing; a rule that keeps no tag says so with "last: 0"');
  }
  return {
    repositories: fields.strings('repositories'),
    tags: fields.has('tags') ? fields.strings('tags') : ['*'],
    keep,
    untagged: span(fields, 'untagged'),
  };
}

const quota = (fields: Fields): QuotaRule => ({
  repositories: fields.strings('repositories'),
  size: fields.parsed('size', parseSize),
});

function webhook(fields: Fields, folder: string): EndpointSettings {
  const fromFile = (name: string): string | undefined =>
    optional(fields, name, () => fields.parsed(name, (path) => readSecret(resolve(folder, path))));
  const url = fields.parsed('url', checkUrl);
  return {
    name: fields.has('name') ? fields.string('name') : `${url.host}${url.pathname}`,
    url: url.href,
    actions: fields.has('events') ? fields.choices('events', ['push', 'pull', 'delete']) : ['push', 'delete'],
    repositories: fields.has('repositories') ? fields.strings('repositories') : ['**'],
    timeoutMs: span(fields, 'timeout') ?? 10_000,
    giveUpAfterMs: span(fields, 'giveUpAfter') ?? 3 * 86_400_000,
    secret: fromFile('secretFile'),
    authorization: fromFile('authorizationFile'),
    ca: fromFile('caFile'),
  };
}

function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw invalidArgument('expected an http(s) address');
  if (url.username !== '' || url.password !== '') {
    throw invalidArgument('a password does not belong into an address: use authorizationFile');
  }
  return url;
}

/** A secret stands in a file of its own. Throws for a file that is empty or not there. */
function readSecret(path: string): string {
  const text = readFileSync(path, 'utf8').trim();
  if (text === '') throw invalidArgument(`${path} is empty`);
  return text;
}

/** What waits for an endpoint is kept under its name. */
function unique(fields: Fields, webhooks: readonly EndpointSettings[]): readonly EndpointSettings[] {
  const names = webhooks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw fields.wrong('webhooks', `two are named ${twice}: give them a "name"`);
  return webhooks;
}
