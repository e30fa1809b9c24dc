import type { Type, Value } from '#hcl';
import {
  boolType,
  convert,
  entriesOf,
  isSequence,
  itemsOf,
  listOf,
  mapOf,
  stringType,
  stringValue,
  boolValue,
  listValue,
  mapValue,
  objectValue,
  nullOf,
  textOf,
} from '#hcl';
import type { Entry } from '../entries/entry.ts';
import {
  checkedCache,
  checkedOutput,
  disabling,
  parseAttest,
  parseCacheEntries,
  parseOutput,
} from '../entries/entry.ts';
import type { Secret, SshAccess } from '../entries/secret.ts';
import { makeSecret, parseSecret, parseSsh } from '../entries/secret.ts';
import type { attributeKinds } from '../target.ts';

type Kind = (typeof attributeKinds)[keyof typeof attributeKinds];

const object = (attributes: Readonly<Record<string, Type>>): Type => ({
  kind: 'object',
  attributes: new Map(Object.entries(attributes)),
  optional: new Set(Object.keys(attributes)),
});

const entryType = mapOf(stringType);
const secretType = object({ id: stringType, src: stringType, env: stringType });
const sshType = object({ id: stringType, paths: listOf(stringType) });

const typeOf: Readonly<Record<Kind, Type>> = {
  text: stringType,
  texts: listOf(stringType),
  map: mapOf(stringType),
  bool: boolType,
  attests: listOf(entryType),
  caches: listOf(entryType),
  outputs: listOf(entryType),
  secrets: listOf(secretType),
  ssh: listOf(sshType),
};

const record = (value: Value): Record<string, string> =>
  Object.fromEntries(
    [...entriesOf(convert(value, entryType))].flatMap(([key, item]) =>
      item.data === null ? [] : [[key, textOf(item)]],
    ),
  );

/** The elements that are not empty strings. */
function elements(value: Value, kind: Kind): readonly Value[] {
  const sequence = isSequence(value.type) && value.type.kind !== 'set' ? value : convert(value, typeOf[kind]);
  return itemsOf(sequence).filter(({ data }) => data !== '');
}

const isText = ({ type, data }: Value): boolean => type.kind === 'string' && data !== null;

function attest(value: Value): Entry {
  if (isText(value)) return parseAttest(textOf(value));
  const { disabled, ...others } = record(value);
  return { ...others, ...(disabled !== undefined && disabling(disabled)) };
}

function secret(value: Value): Secret {
  if (isText(value)) return parseSecret(textOf(value));
  const fields = entriesOf(convert(value, secretType));
  const text = (name: string): string | undefined => {
    const found = fields.get(name);
    return found && found.data !== null ? textOf(found) : undefined;
  };
  return makeSecret({ id: text('id'), src: text('src'), env: text('env') });
}

function ssh(value: Value): SshAccess {
  if (isText(value)) return parseSsh(textOf(value));
  const fields = entriesOf(convert(value, sshType));
  const [id, paths] = [fields.get('id'), fields.get('paths')];
  return {
    ...(id && id.data !== null && { id: textOf(id) }),
    ...(paths && paths.data !== null && { paths: itemsOf(paths).map(textOf) }),
  };
}

const without = (fields: Record<string, string>): Entry =>
  Object.fromEntries(Object.entries(fields).filter(([key, value]) => key !== 'dest' || value !== ''));

/**
 * What an attribute's value is for a target; undefined for null. Throws errors that end a sentence.
 */
export function decodeAttribute(value: Value, kind: Kind): unknown {
  if (value.data === null) return undefined;
  switch (kind) {
    case 'text':
      return textOf(convert(value, stringType));
    case 'bool':
      return convert(value, boolType).data === true;
    case 'texts':
      return itemsOf(convert(value, typeOf.texts)).map((item) => (item.data === null ? '' : textOf(item)));
    case 'map':
      return record(value);
    case 'attests':
      return elements(value, kind).map(attest);
    case 'caches':
      return elements(value, kind).flatMap((item) =>
        isText(item)
          ? parseCacheEntries(textOf(item))
          : [checkedCache(record(item), JSON.stringify(record(item)))],
      );
    case 'outputs':
      return elements(value, kind).map((item) =>
        isText(item) ? parseOutput(textOf(item)) : checkedOutput(without(record(item))),
      );
    case 'secrets':
      return elements(value, kind).map(secret);
    case 'ssh':
      return elements(value, kind).map(ssh);
  }
}

/** The other way: the value that `target.name.attribute` has in other expressions. */
export function encodeAttribute(decoded: unknown, kind: Kind): Value {
  if (decoded === undefined) return nullOf(typeOf[kind]);
  if (typeof decoded === 'string') return stringValue(decoded);
  if (typeof decoded === 'boolean') return boolValue(decoded);
  if (Array.isArray(decoded)) {
    const type = typeOf[kind];
    return listValue(
      decoded.map((item) => encodeItem(item as unknown, kind)),
      type.kind === 'list' ? type.element : stringType,
    );
  }
  return encodeItem(decoded, 'map');
}

function encodeItem(item: unknown, kind: Kind): Value {
  if (typeof item === 'string') return stringValue(item);
  // Entries, secrets and ssh keys are made above: texts, and lists of texts.
  const fields = item as Readonly<Record<string, string | readonly string[] | undefined>>;
  const text = (value: string | readonly string[] | undefined): Value =>
    stringValue(typeof value === 'string' ? value : '');
  if (kind === 'secrets') {
    return objectValue(['id', 'src', 'env'].map((name) => [name, text(fields[name])] as const));
  }
  if (kind === 'ssh') {
    const paths = typeof fields['paths'] === 'object' ? fields['paths'] : [];
    return objectValue([
      ['id', text(fields['id'])],
      ['paths', listValue(paths.map(stringValue), stringType)],
    ]);
  }
  return mapValue(
    Object.entries(fields).map(([key, value]) => [key, text(value)] as const),
    stringType,
  );
}
