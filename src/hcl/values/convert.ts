import { formatDecimal, parseDecimal } from './decimal.ts';
import { mismatch } from './mismatch.ts';
import { sortSet } from './set-order.ts';
import type { Type, Value } from './value.ts';
import {
  anyType,
  boolValue,
  decimalOf,
  entriesOf,
  itemsOf,
  nullOf,
  numberValue,
  sameType,
  stringValue,
  textOf,
} from './value.ts';
import { convertible, unify } from './convertible.ts';

/** A value that does not become one of the wanted type; the message ends a sentence: `a number is required`. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
}

/** Turns a value into one of a type. Throws ConversionError. */
export function convert(value: Value, wanted: Type): Value {
  if (sameType(value.type, wanted) || wanted.kind === 'any') return value;
  if (value.data === null) {
    if (value.type.kind !== 'any' && !convertible(value.type, wanted)) {
      throw new ConversionError(mismatch(value.type, wanted));
    }
    return nullOf(wanted);
  }
  if (!convertible(value.type, wanted)) throw new ConversionError(mismatch(value.type, wanted));
  switch (wanted.kind) {
    case 'string':
    case 'number':
    case 'bool':
      return toPrimitive(value, wanted.kind);
    case 'list':
    case 'set':
      return toSequence(value, wanted.kind, wanted.element);
    case 'map': {
      const entries = [...entriesOf(value)];
      const element =
        wanted.element.kind === 'any' ? commonType(entries.map(([, { type }]) => type)) : wanted.element;
      const data = new Map(entries.map(([key, item]) => [key, convert(item, element)] as const));
      return { type: { kind: 'map', element }, data };
    }
    case 'tuple':
      return toTuple(value, wanted.elements);
    case 'object':
      return toObject(value, wanted);
  }
}

function toPrimitive(value: Value, wanted: 'string' | 'number' | 'bool'): Value {
  if (wanted === 'string') {
    if (value.type.kind === 'number') return stringValue(formatDecimal(decimalOf(value)));
    return stringValue(value.data === true ? 'true' : 'false');
  }
  const text = textOf(value);
  if (wanted === 'number') {
    const number = parseDecimal(text);
    if (!number) throw new ConversionError('a number is required');
    return numberValue(number);
  }
  if (text === 'true' || text === '1') return boolValue(true);
  if (text === 'false' || text === '0') return boolValue(false);
  const lower = text.toLowerCase();
  const hint =
    lower === 'true' || lower === 'false'
      ? `; to convert from string, use lowercase ${JSON.stringify(lower)}`
      : '';
  throw new ConversionError(`a bool is required${hint}`);
}

function commonType(types: readonly Type[]): Type {
  if (types.length === 0) return anyType;
  return unify(types) ?? anyType;
}

function toSequence(value: Value, kind: 'list' | 'set', wanted: Type): Value {
  const items = itemsOf(value);
  const element = wanted.kind === 'any' ? commonType(items.map(({ type }) => type)) : wanted;
  const converted = items.map((item) => convert(item, element));
  return { type: { kind, element }, data: kind === 'set' ? sortSet(converted) : converted };
}

function toTuple(value: Value, elements: readonly Type[]): Value {
  const items = itemsOf(value).map((item, at) => convert(item, elements[at] ?? anyType));
  return { type: { kind: 'tuple', elements: items.map(({ type }) => type) }, data: items };
}

function toObject(value: Value, wanted: Type & { kind: 'object' }): Value {
  const given = entriesOf(value);
  const data = new Map<string, Value>();
  for (const [name, type] of wanted.attributes) {
    const item = given.get(name);
    if (!item && !wanted.optional?.has(name))
      throw new ConversionError(`map has no element for required attribute ${JSON.stringify(name)}`);
    data.set(name, item ? convert(item, type) : nullOf(type));
  }
  const attributes = new Map([...data].map(([name, { type }]) => [name, type] as const));
  return { type: { kind: 'object', attributes }, data };
}
