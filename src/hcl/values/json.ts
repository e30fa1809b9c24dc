import { formatDecimal, parseDecimal, zero } from './decimal.ts';
import type { Type, Value } from './value.ts';
import {
  anyType,
  boolValue,
  decimalOf,
  entriesOf,
  isMapping,
  isSequence,
  itemsOf,
  nullOf,
  numberValue,
  objectValue,
  stringValue,
  textOf,
  tupleValue,
} from './value.ts';

/** A string as Go writes it into JSON, fit for HTML. */
export const jsonString = (text: string): string =>
  JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** A value as JSON, without blanks. */
export function toJson(value: Value): string {
  if (value.data === null) return 'null';
  if (isSequence(value.type)) return `[${itemsOf(value).map(toJson).join(',')}]`;
  if (isMapping(value.type)) {
    return `{${[...entriesOf(value)].map(([key, item]) => `${jsonString(key)}:${toJson(item)}`).join(',')}}`;
  }
  if (value.type.kind === 'number') return formatDecimal(decimalOf(value));
  if (value.type.kind === 'bool') return value.data === true ? 'true' : 'false';
  return jsonString(textOf(value));
}

/** A type as JSON: `"string"`, `["list","number"]`. */
export function typeToJson(type: Type): string {
  if ('element' in type) return `["${type.kind}",${typeToJson(type.element)}]`;
  if (type.kind === 'tuple') return `["tuple",[${type.elements.map(typeToJson).join(',')}]]`;
  if (type.kind !== 'object') return `"${type.kind === 'any' ? 'dynamic' : type.kind}"`;
  const attributes = [...type.attributes].map(([name, each]) => `${jsonString(name)}:${typeToJson(each)}`);
  return `["object",{${attributes.join(',')}}]`;
}

/** Keeps the digits of numbers. */
class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What a JSON document says: tuples and objects. Throws SyntaxError. */
export function fromJson(text: string): Value {
  return lift(
    JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value,
    ),
  );
}

function lift(value: unknown): Value {
  if (value instanceof JsonNumber) return numberValue(parseDecimal(value.text) ?? zero);
  if (typeof value === 'string') return stringValue(value);
  if (typeof value === 'boolean') return boolValue(value);
  if (Array.isArray(value)) return tupleValue(value.map(lift));
  if (typeof value !== 'object' || value === null) return nullOf(anyType);
  return objectValue(Object.entries(value).map(([key, item]) => [key, lift(item)] as const));
}
