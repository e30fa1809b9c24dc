import { messageOf } from '#kernel';
import { hclError } from '../diagnostic.ts';
import type { Range } from '../syntax/source.ts';
import { convert } from '../values/convert.ts';
import { fromInteger, compare, isInteger, toInteger } from '../values/decimal.ts';
import type { Value } from '../values/value.ts';
import {
  decimalOf,
  entriesOf,
  isPrimitive,
  isSequence,
  itemsOf,
  numberType,
  stringType,
  textOf,
  typeName,
} from '../values/value.ts';

const unidentified = 'The given key does not identify an element in this collection value';

/** `value[key]`. Throws HclError. */
export function indexOf(value: Value, key: Value, range: Range): Value {
  const fail = (detail: string): Error => hclError('Invalid index', detail, range);
  if (value.data === null) {
    throw hclError(
      'Attempt to index null value',
      'This value is null, so it does not have any indices.',
      range,
    );
  }
  if (key.data === null) throw fail("Can't use a null value as an indexing key.");
  const wanted = (type: typeof stringType): Value => {
    try {
      return convert(key, type);
    } catch (error) {
      throw fail(`${unidentified}: ${messageOf(error)}.`);
    }
  };
  switch (value.type.kind) {
    case 'list':
    case 'tuple':
      return element(itemsOf(value), wanted(numberType), fail);
    case 'map':
    case 'object': {
      const found = entriesOf(value).get(textOf(wanted(stringType)));
      if (found) return found;
      const hint =
        value.type.kind === 'object' && key.type.kind === 'number'
          ? ' An object only supports looking up attributes by name, not by numeric index.'
          : '';
      throw fail(`${unidentified}.${hint}`);
    }
    case 'set':
      throw fail(
        "Elements of a set are identified only by their value and don't have any separate index or key to select with, so it's only possible to perform operations across all elements of the set.",
      );
    default:
      throw fail('This value does not have any indices.');
  }
}

function element(items: readonly Value[], key: Value, fail: (detail: string) => Error): Value {
  const index = decimalOf(key);
  if (!isInteger(index)) {
    throw fail(
      `${unidentified}: indexing a sequence requires a whole number, but the given index has a fractional part.`,
    );
  }
  if (index.mantissa < 0n)
    throw fail(`${unidentified}: a negative number is not a valid index for a sequence.`);
  const found = compare(index, fromInteger(items.length)) < 0 ? items[Number(toInteger(index))] : undefined;
  if (found) return found;
  throw fail(
    items.length === 0
      ? `${unidentified}: the collection has no elements.`
      : `${unidentified}: the given index is greater than or equal to the length of the collection.`,
  );
}

/** `value.name`. Throws HclError. */
export function attributeOf(value: Value, name: string, range: Range): Value {
  const quoted = JSON.stringify(name);
  if (value.data === null) {
    throw hclError(
      'Attempt to get attribute from null value',
      'This value is null, so it does not have any attributes.',
      range,
    );
  }
  const { type } = value;
  if (type.kind === 'object' || type.kind === 'map') {
    const found = entriesOf(value).get(name);
    if (found) return found;
    throw type.kind === 'object'
      ? hclError('Unsupported attribute', `This object does not have an attribute named ${quoted}.`, range)
      : hclError('Missing map element', `This map does not have an element with the key ${quoted}.`, range);
  }
  const fail = (detail: string): Error => hclError('Unsupported attribute', detail, range);
  if (isPrimitive(type))
    throw fail(`Can't access attributes on a primitive-typed value (${typeName(type)}).`);
  if (isSequence(type) && 'element' in type && type.element.kind === 'object') {
    throw type.kind === 'set'
      ? fail(
          "Can't access attributes on a set of objects. Did you mean to access an attribute across all elements of the set?",
        )
      : fail(
          `Can't access attributes on a list of objects. Did you mean to access attribute ${quoted} for a specific element of the list, or across all elements of the list?`,
        );
  }
  throw fail('This value does not have any attributes.');
}
