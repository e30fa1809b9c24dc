import { hclError } from '../diagnostic.ts';
import type { Call, Expression } from '../syntax/expression.ts';
import { parseExpressionText } from '../syntax/parse-expression.ts';
import type { Type } from '../values/value.ts';
import { anyType, boolType, numberType, stringType } from '../values/value.ts';

const summary = 'Invalid type specification';

const keywords: Readonly<Record<string, Type>> = {
  any: anyType,
  bool: boolType,
  number: numberType,
  string: stringType,
};

const collectionHint = (name: string): string =>
  `The ${name} type constructor requires one argument specifying the element type.`;
const objectHint =
  'The object type constructor requires one argument specifying the attribute types and values as a map.';
const tupleHint = 'The tuple type constructor requires one argument specifying the element types as a list.';

/** Reads `string`, `list(number)`, `object({ name = optional(string) })`. Throws HclError. */
export function typeConstraint(expression: Expression): Type {
  const text = expression.kind === 'literal' ? expression.value.data : undefined;
  // In JSON a type is written into a string.
  if (typeof text === 'string') return typeConstraint(parseExpressionText(text, expression.range));
  if (expression.kind === 'variable') return keyword(expression);
  if (expression.kind === 'call') return constructed(expression);
  throw hclError(
    summary,
    'A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).',
    expression.range,
  );
}

function keyword({ name, range }: Expression & { kind: 'variable' }): Type {
  const found = keywords[name];
  if (found) return found;
  const detail =
    name === 'list' || name === 'set' || name === 'map'
      ? collectionHint(name)
      : name === 'object'
        ? objectHint
        : name === 'tuple'
          ? tupleHint
          : `The keyword ${JSON.stringify(name)} is not a valid type specification.`;
  throw hclError(summary, detail, range);
}

function constructed(call: Call): Type {
  const { name, range } = call;
  const [argument] = call.arguments;
  const quoted = JSON.stringify(name);
  if (keywords[name]) {
    const kind = name === 'any' ? 'Type constraint' : 'Primitive type';
    throw hclError(summary, `${kind} keyword ${quoted} does not expect arguments.`, range);
  }
  const only = call.arguments.length === 1 ? argument : undefined;
  switch (name) {
    case 'list':
    case 'set':
    case 'map':
      if (!only) throw hclError(summary, collectionHint(name), range);
      return { kind: name, element: typeConstraint(only) };
    case 'object':
      if (!only) throw hclError(summary, objectHint, range);
      return objectType(only);
    case 'tuple':
      if (!only) throw hclError(summary, tupleHint, range);
      if (only.kind !== 'tuple') {
        throw hclError(summary, 'Tuple type constructor requires a list of element types.', only.range);
      }
      return { kind: 'tuple', elements: only.items.map(typeConstraint) };
    case 'optional':
      throw hclError(
        summary,
        `Keyword ${quoted} is valid only as a modifier for object type attributes.`,
        range,
      );
    default:
      throw hclError(summary, `Keyword ${quoted} is not a valid type constructor.`, range);
  }
}

function objectType(expression: Expression): Type {
  if (expression.kind !== 'object') {
    throw hclError(
      summary,
      'Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.',
      expression.range,
    );
  }
  const attributes = new Map<string, Type>();
  const optional = new Set<string>();
  for (const { key, value } of expression.items) {
    const name = key.kind === 'variable' ? key.name : undefined;
    if (name === undefined)
      throw hclError(summary, 'Object constructor map keys must be attribute names.', key.range);
    if (value.kind === 'call' && value.name === 'optional') {
      optional.add(name);
      attributes.set(name, optionalType(value));
    } else attributes.set(name, typeConstraint(value));
  }
  return { kind: 'object', attributes, optional };
}

function optionalType({ arguments: args, range }: Call): Type {
  const [type, extra] = args;
  if (!type) {
    throw hclError(
      summary,
      'Optional attribute modifier requires the attribute type as its argument.',
      range,
    );
  }
  if (extra) {
    throw hclError(
      summary,
      'Optional attribute modifier expects only one argument: the attribute type.',
      extra.range,
    );
  }
  return typeConstraint(type);
}
