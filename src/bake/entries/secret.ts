import { csvFields, lastByKey } from './fields.ts';

/** A secret of a build: from a file or from the environment. */
export interface Secret {
  readonly id?: string;
  readonly src?: string;
  readonly env?: string;
}

/** Keys of ssh agents that a build may use. */
export interface SshAccess {
  readonly id?: string;
  readonly paths?: readonly string[];
}

export const distinctSecrets = (secrets: readonly Secret[]): Secret[] =>
  lastByKey(secrets, ({ id = '' }) => id);
export const distinctSsh = (keys: readonly SshAccess[]): SshAccess[] => lastByKey(keys, ({ id = '' }) => id);

/** Reads `id=token,env=TOKEN`. Throws errors with buildx's words. */
export function parseSecret(text: string): Secret {
  let fields: readonly string[];
  try {
    fields = csvFields(text);
  } catch (error) {
    throw new Error(`failed to parse csv secret: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
  const found: Record<string, string> = {};
  for (const field of fields) {
    const at = field.indexOf('=');
    if (at < 0) throw new Error(`invalid field '${field}' must be a key=value pair`);
    const key = field.slice(0, at).toLowerCase();
    const value = field.slice(at + 1);
    if (key === 'type' && value !== 'file' && value !== 'env') {
      throw new Error(`unsupported secret type ${JSON.stringify(value)}`);
    }
    if (!['type', 'id', 'src', 'source', 'env'].includes(key)) {
      throw new Error(`unexpected key '${key}' in '${field}'`);
    }
    found[key === 'source' ? 'src' : key] = value;
  }
  return makeSecret(
    found['type'] === 'env' && !found['env'] ? { id: found['id'], env: found['src'] } : found,
  );
}

/** Without the parts that are empty. */
export const makeSecret = ({ id, src, env }: Readonly<Record<string, string | undefined>>): Secret => ({
  ...(id && { id }),
  ...(src && { src }),
  ...(env && { env }),
});

/** Reads `default`, `key=path1,path2`. */
export function parseSsh(text: string): SshAccess {
  const at = text.indexOf('=');
  return at < 0 ? { id: text } : { id: text.slice(0, at), paths: text.slice(at + 1).split(',') };
}

/** As the command line writes it: `id=token,src=file`. */
export const formatSecret = ({ id, src, env }: Secret): string =>
  Object.entries({ id, src, env })
    .flatMap(([key, value]) => (value === undefined ? [] : [csvField(`${key}=${value}`)]))
    .join(',');

const csvField = (field: string): string => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
