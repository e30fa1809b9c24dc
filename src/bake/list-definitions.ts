import { csvFields } from './entries/fields.ts';
import type { VariableInfo } from './hcl/variable.ts';
import { formatJson } from './print-targets.ts';
import type { ReadDefinitions } from './read-files.ts';
import type { Definitions } from './target.ts';

/** What `--list` asks for. */
export interface ListRequest {
  readonly type: 'targets' | 'variables';
  readonly format: 'table' | 'json';
}

/** Reads `targets`, `variables`, `type=targets,format=json`. Throws errors with buildx's words. */
export function parseList(text: string): ListRequest {
  const fields = csvFields(text);
  const found: Record<string, string> = {};
  if (fields.length === 1 && fields[0] === text && !text.startsWith('type=')) found['type'] = text;
  else {
    for (const field of fields) {
      const [key = '', ...value] = field.split('=');
      if (value.length === 0) throw new Error(`invalid value ${field}`);
      const name = key.toLowerCase().trim();
      if (name !== 'type' && name !== 'format') throw new Error(`unexpected key '${name}' in '${field}'`);
      found[name] = value.join('=');
    }
  }
  const { type = '', format = 'table' } = found;
  if (type !== 'targets' && type !== 'variables')
    throw new Error(`invalid list type ${JSON.stringify(type)}`);
  if (format !== 'table' && format !== 'json')
    throw new Error(`invalid list format ${JSON.stringify(format)}`);
  return { type, format };
}

/** Rows of a table, cells separated by tabs, or JSON. */
export function listDefinitions(
  { definitions, variables }: ReadDefinitions,
  { type, format }: ListRequest,
): string {
  return type === 'targets' ? listTargets(definitions, format) : listVariables(variables, format);
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1;

function listTargets({ groups, targets }: Definitions, format: ListRequest['format']): string {
  const rows = [
    ...targets.map(({ name, description }) => ({ name, description, group: undefined })),
    ...groups.map(({ name, description, targets: members }) => {
      const names = [...members].sort().join(', ');
      const shown = description ? (names === '' ? description : `${description} (${names})`) : names;
      return { name, description: shown, group: true };
    }),
  ]
    .filter(({ name }) => !name.startsWith('_'))
    .sort(byName);
  if (format === 'table') {
    return [
      'TARGET\tDESCRIPTION',
      ...rows.map(({ name, description }) => `${name}\t${description ?? ''}`),
    ].join('\n');
  }
  return formatJson(
    rows.map(({ name, description, group }) => ({
      name,
      ...(description && { description }),
      ...(group && { group }),
    })),
  );
}

function listVariables(variables: readonly VariableInfo[], format: ListRequest['format']): string {
  const rows = [...variables].sort(byName);
  if (format === 'json') {
    return formatJson(
      rows.map(({ name, description, type, value }) => ({
        name,
        ...(description !== undefined && { description }),
        ...(type !== undefined && { type }),
        ...(value !== undefined && { value }),
      })),
    );
  }
  const cells = rows.map(({ name, type = '', value = '<null>', description = '' }) =>
    [name, type, value, description].join('\t'),
  );
  return ['VARIABLE\tTYPE\tVALUE\tDESCRIPTION', ...cells].join('\n');
}
