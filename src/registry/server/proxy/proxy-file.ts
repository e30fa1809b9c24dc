import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { invalidArgument, messageOf } from '#kernel';
import type { RegistryAuth } from '#registry/client';
import { readFields, type Fields } from '../configuration/fields.ts';
import { parseSize, parseSpan } from '../configuration/units.ts';
import type { CacheBudget } from './cache-eviction.ts';
import type { UpstreamRule } from './upstreams.ts';

/** What `--proxy` says. */
export interface ProxySettings {
  readonly upstreams: readonly UpstreamRule[];
  /** Hosts reached without TLS, or without a certificate that can be verified. */
  readonly insecure: readonly string[];
  readonly budget: CacheBudget;
}

const defaultTtl = 60_000;

/** Reads YAML, and so JSON. Throws invalidArgument that names the file and the place in it. */
export function readProxyFile(path: string): ProxySettings {
  try {
    const document: unknown = parse(readFileSync(path, 'utf8'));
    return readFields(document, '', (fields) => settings(fields, dirname(path)));
  } catch (error) {
    throw invalidArgument(`${path}: ${messageOf(error)}`, error);
  }
}

function settings(fields: Fields, folder: string): ProxySettings {
  const rules = fields.objects('upstreams', (each) => ({
    rule: upstream(each, folder),
    isInsecure: each.has('insecure') && each.boolean('insecure'),
  }));
  const upstreams = rules.map(({ rule }) => rule);
  const twice = upstreams.find(({ prefix }, index) =>
    upstreams.slice(0, index).some((other) => other.prefix === prefix),
  );
  if (twice) throw invalidArgument(`upstreams: the prefix ${JSON.stringify(twice.prefix)} stands twice`);
  const cache = (other: Fields): CacheBudget => ({
    size: other.has('size') ? other.parsed('size', parseSize) : undefined,
    age: other.has('age') ? other.parsed('age', parseSpan) : undefined,
  });
  return {
    upstreams,
    insecure: rules.flatMap(({ rule, isInsecure }) =>
      isInsecure ? [rule.registry?.split('/')[0] ?? ''] : [],
    ),
    budget: fields.has('cache') ? fields.object('cache', cache) : { size: undefined, age: undefined },
  };
}

function upstream(fields: Fields, folder: string): UpstreamRule {
  return {
    // YAML's `prefix:` and `prefix: ''` are every repository.
    prefix: fields.has('prefix') ? fields.parsed('prefix', prefix) : '',
    registry: fields.has('registry') ? fields.string('registry').replace(/\/+$/, '') : undefined,
    auth: fields.has('username') ? auth(fields, folder) : {},
    ttl: fields.has('ttl') ? fields.parsed('ttl', parseSpan) : defaultTtl,
  };
}

function auth(fields: Fields, folder: string): RegistryAuth {
  const username = fields.string('username');
  if (!fields.has('passwordFile')) return { username, password: fields.string('password') };
  const file = resolve(folder, fields.string('passwordFile'));
  return { username, password: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
}

function prefix(text: string): string {
  const name = text.replace(/^\/+|\/+$/g, '');
  if (name === '' || /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/.test(name)) return name;
  throw invalidArgument(`${JSON.stringify(text)} cannot begin a repository's name`);
}
