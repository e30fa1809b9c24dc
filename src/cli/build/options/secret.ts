import { statSync } from 'node:fs';
import type { SecretSource } from '../session/secrets.ts';
import { fieldsOf } from './pairs.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Secrets of `id=NAME[,src=PATH|,env=VARIABLE]` by their ids. Throws buildx's texts, also for files that are not there. */
export function parseSecrets(texts: readonly string[], env: Environment): Map<string, SecretSource> {
  return new Map(texts.map((text) => parseSecret(text, env)));
}

function parseSecret(text: string, env: Environment): readonly [string, SecretSource] {
  const { type, id, file, variable } = readFields(text);
  if (id === '') throw new Error('secret missing ID');
  if (variable !== '') return [id, { variable }];
  if (file === '' && type !== 'file' && env[id] !== undefined) return [id, { variable: id }];
  const path = file === '' ? id : file;
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new Error(`failed to stat ${path}: stat ${path}: no such file or directory`);
  if (found.size > 500 * 1024) throw new Error(`secret ${id} too big. max size 500KB`);
  return [id, { file: path }];
}

interface Fields {
  type: string;
  id: string;
  file: string;
  variable: string;
}

const names: Readonly<Record<string, keyof Fields>> = {
  type: 'type',
  id: 'id',
  source: 'file',
  src: 'file',
  env: 'variable',
};

function readFields(text: string): Fields {
  const found: Fields = { type: '', id: '', file: '', variable: '' };
  const fields = fieldsOf(text, (field) => {
    throw new Error(`invalid field '${field}' must be a key=value pair`);
  });
  for (const [key, value] of fields) {
    const name = names[key];
    if (name === undefined) throw new Error(`unexpected key '${key}' in '${key}=${value}'`);
    found[name] = value;
  }
  if (!['', 'file', 'env'].includes(found.type)) {
    throw new Error(`unsupported secret type ${JSON.stringify(found.type)}`);
  }
  // `type=env,src=X` means the variable X.
  if (found.type === 'env' && found.variable === '') [found.variable, found.file] = [found.file, ''];
  return found;
}
