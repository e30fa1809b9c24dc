import { messageOf } from '#kernel';
import { HclError, hclError } from '../diagnostic.ts';
import type { Expression, ForExpression } from '../syntax/expression.ts';
import type { Range } from '../syntax/source.ts';
import { convert } from '../values/convert.ts';
import { fromInteger, negate } from '../values/decimal.ts';
import type { Type, Value } from '../values/value.ts';
import {
  boolType,
  boolValue,
  decimalOf,
  entriesOf,
  isMapping,
  isSequence,
  itemsOf,
  numberType,
  numberValue,
  objectValue,
  stringType,
  stringValue,
  textOf,
  tupleValue,
} from '../values/value.ts';
import { attributeOf, indexOf } from './access.ts';
import { callFunction } from './call.ts';
import { chooseType } from './conditional.ts';
import { operandType, operate } from './operators.ts';
import type { Scope } from './scope.ts';
import { suggestion } from './suggestion.ts';

/** The element that a splat is at, under a name that no variable has. */
const splatElement = '*';

/** The value of an expression. Throws HclError. */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'variable':
    case 'splat-element':
      return variable(expression, scope);
    case 'attribute':
    case 'index':
      return step(expression, scope);
    case 'parentheses':
    case 'template-wrap':
      return evaluate(expression.inner, scope);
    default:
      return compound(expression, scope);
  }
}

type Simple =
  'literal' | 'variable' | 'splat-element' | 'attribute' | 'index' | 'parentheses' | 'template-wrap';

/** Expressions of several parts. */
function compound(expression: Exclude<Expression, { readonly kind: Simple }>, scope: Scope): Value {
  switch (expression.kind) {
    case 'splat':
      return splat(expression, scope);
    case 'call':
      return callFunction(expression, scope, evaluate);
    case 'conditional':
      return conditional(expression, scope);
    case 'binary':
      return binary(expression, scope);
    case 'unary':
      return unary(expression, scope);
    case 'template':
    case 'template-join':
      return template(expression, scope);
    case 'tuple':
      return tupleValue(expression.items.map((item) => evaluate(item, scope)));
    case 'object':
      return object(expression, scope);
    case 'for':
      return loop(expression, scope);
  }
}

function template(
  expression: Expression & { readonly kind: 'template' | 'template-join' },
  scope: Scope,
): Value {
  const texts =
    expression.kind === 'template'
      ? expression.parts.map((part) => interpolated(evaluate(part, scope), part.range))
      : itemsOf(evaluate(expression.tuple, scope)).map((item) => interpolated(item, expression.range));
  return stringValue(texts.join(''));
}

function step(expression: Expression & { readonly kind: 'attribute' | 'index' }, scope: Scope): Value {
  const source = evaluate(expression.source, scope);
  return expression.kind === 'attribute'
    ? attributeOf(source, expression.name, endOf(expression))
    : indexOf(source, evaluate(expression.key, scope), endOf(expression));
}

/** The last step of a traversal, as messages show it. */
function endOf(expression: Expression & { readonly source: Expression }): Range {
  return { ...expression.range, start: expression.source.range.end };
}

function variable(
  expression: Expression & { readonly kind: 'variable' | 'splat-element' },
  scope: Scope,
): Value {
  const name = expression.kind === 'variable' ? expression.name : splatElement;
  const { range } = expression;
  const found = scope.variable(name);
  if (found) return found;
  const hint = suggestion(name, scope.names('variables'));
  throw hclError('Unknown variable', `There is no variable named ${JSON.stringify(name)}.${hint}`, range);
}

/** As a part of a string. */
function interpolated(value: Value, range: Range): string {
  const summary = 'Invalid template interpolation value';
  if (value.data === null) {
    throw hclError(
      summary,
      'The expression result is null. Cannot include a null value in a string template.',
      range,
    );
  }
  return textOf(
    converted(
      value,
      stringType,
      range,
      summary,
      (reason) => `Cannot include the given value in a string template: ${reason}.`,
    ),
  );
}

function converted(
  value: Value,
  type: Type,
  range: Range,
  summary: string,
  detail: (reason: string) => string,
): Value {
  try {
    return convert(value, type);
  } catch (error) {
    throw hclError(summary, detail(messageOf(error)), range);
  }
}

function splat(expression: Expression & { kind: 'splat' }, scope: Scope): Value {
  const source = evaluate(expression.source, scope);
  const { type } = source;
  const each = (item: Value): Value =>
    evaluate(expression.each, scope.child(new Map([[splatElement, item]])));
  if (isSequence(type)) {
    if (source.data === null) {
      throw hclError(
        'Splat of null value',
        'Splat expressions (with the * symbol) cannot be applied to null sequences.',
        expression.source.range,
      );
    }
    const items = itemsOf(source).map(each);
    const [first] = items;
    return type.kind === 'tuple' || !first
      ? tupleValue(items)
      : { type: { kind: 'list', element: first.type }, data: items };
  }
  return tupleValue(source.data === null ? [] : [each(source)]);
}

function conditional(expression: Expression & { kind: 'conditional' }, scope: Scope): Value {
  const yes = attempt(expression.yes, scope);
  const no = attempt(expression.no, scope);
  const type = chooseType(yes, no, expression);
  const condition = evaluate(expression.condition, scope);
  const { range } = expression.condition;
  if (condition.data === null) {
    throw hclError(
      'Null condition',
      'The condition value is null. Conditions must either be true or false.',
      range,
    );
  }
  const chosen = converted(
    condition,
    boolType,
    range,
    'Incorrect condition type',
    () => 'The condition expression must be of type bool.',
  ).data
    ? { value: yes, name: 'true', at: expression.yes }
    : { value: no, name: 'false', at: expression.no };
  if (chosen.value instanceof HclError) throw chosen.value;
  if (!type) return chosen.value;
  return converted(
    chosen.value,
    type,
    chosen.at.range,
    'Inconsistent conditional result types',
    (reason) => `The ${chosen.name} result value has the wrong type: ${reason}.`,
  );
}

/** The other branch may be wrong: what is not taken is not complained about. */
function attempt(expression: Expression, scope: Scope): Value | HclError {
  try {
    return evaluate(expression, scope);
  } catch (error) {
    if (error instanceof HclError) return error;
    throw error;
  }
}

function binary(expression: Expression & { kind: 'binary' }, scope: Scope): Value {
  const { operator } = expression;
  const type = operandType(operator);
  const operand = (side: 'left' | 'right'): Value => {
    const { range } = expression[side];
    const value = converted(
      evaluate(expression[side], scope),
      type,
      range,
      'Invalid operand',
      (reason) => `Unsuitable value for ${side} operand: ${reason}.`,
    );
    if (value.data === null && type.kind !== 'any') {
      throw hclError(
        'Operation failed',
        'Error during operation: argument must not be null.',
        expression.range,
      );
    }
    return value;
  };
  const left = operand('left');
  if (operator === '&&' && left.data === false) return boolValue(false);
  if (operator === '||' && left.data === true) return boolValue(true);
  const right = operand('right');
  try {
    return operate(operator, left, right);
  } catch (error) {
    throw hclError('Operation failed', `Error during operation: ${messageOf(error)}.`, expression.range);
  }
}

function unary(expression: Expression & { kind: 'unary' }, scope: Scope): Value {
  const value = converted(
    evaluate(expression.operand, scope),
    expression.operator === '!' ? boolType : numberType,
    expression.operand.range,
    'Invalid operand',
    (reason) => `Unsuitable value for unary operand: ${reason}.`,
  );
  if (value.data === null) {
    throw hclError(
      'Operation failed',
      'Error during operation: argument must not be null.',
      expression.range,
    );
  }
  return expression.operator === '!' ? boolValue(!value.data) : numberValue(negate(decimalOf(value)));
}

function object(expression: Expression & { kind: 'object' }, scope: Scope): Value {
  const entries: [string, Value][] = [];
  for (const { key, value } of expression.items) {
    // A bare word is the key itself.
    if (key.kind === 'variable') {
      entries.push([key.name, evaluate(value, scope)]);
      continue;
    }
    const found = evaluate(key, scope);
    if (found.data === null) {
      throw hclError('Null value as key', "Can't use a null value as a key.", key.range);
    }
    const name = converted(
      found,
      stringType,
      key.range,
      'Incorrect key type',
      (reason) => `Can't use this value as a key: ${reason}.`,
    );
    entries.push([textOf(name), evaluate(value, scope)]);
  }
  return objectValue(entries);
}

/** Keys and values of what `for` goes through. */
function elementsOf(collection: Value, range: Range): [Value, Value][] {
  if (collection.data === null) {
    throw hclError(
      'Iteration over null value',
      "A null value cannot be used as the collection in a 'for' expression.",
      range,
    );
  }
  const { type } = collection;
  if (isMapping(type)) return [...entriesOf(collection)].map(([key, item]) => [stringValue(key), item]);
  if (!isSequence(type)) {
    throw hclError(
      'Iteration over non-iterable value',
      `A value of type ${type.kind} cannot be used as the collection in a 'for' expression.`,
      range,
    );
  }
  return itemsOf(collection).map((item, at) => [
    type.kind === 'set' ? item : numberValue(fromInteger(at)),
    item,
  ]);
}

function loop(expression: ForExpression, scope: Scope): Value {
  const collection = evaluate(expression.collection, scope);
  const items: Value[] = [];
  const entries = new Map<string, Value[]>();
  for (const [key, value] of elementsOf(collection, expression.collection.range)) {
    const names = new Map([[expression.valueName, value]]);
    if (expression.keyName !== undefined) names.set(expression.keyName, key);
    const inner = scope.child(names);
    if (expression.condition && !isIncluded(expression.condition, inner)) continue;
    if (!expression.key) {
      items.push(evaluate(expression.value, inner));
      continue;
    }
    const name = objectKey(expression.key, inner);
    const before = entries.get(name);
    if (before && !expression.groups) {
      throw hclError(
        'Duplicate object key',
        `Two different items produced the key ${JSON.stringify(name)} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key.`,
        expression.key.range,
      );
    }
    entries.set(name, [...(before ?? []), evaluate(expression.value, inner)]);
  }
  if (!expression.key) return tupleValue(items);
  return objectValue(
    [...entries].flatMap(([name, values]): [string, Value][] => {
      const [first] = values;
      return expression.groups ? [[name, tupleValue(values)]] : first ? [[name, first]] : [];
    }),
  );
}

function isIncluded(condition: Expression, scope: Scope): boolean {
  const summary = "Invalid 'for' condition";
  const value = evaluate(condition, scope);
  if (value.data === null)
    throw hclError(summary, "The value of the 'if' clause must not be null.", condition.range);
  return (
    converted(
      value,
      boolType,
      condition.range,
      summary,
      (reason) => `The 'if' clause value is invalid: ${reason}.`,
    ).data === true
  );
}

function objectKey(key: Expression, scope: Scope): string {
  const summary = 'Invalid object key';
  const value = evaluate(key, scope);
  if (value.data === null) {
    throw hclError(summary, "Key expression in 'for' expression must not produce a null value.", key.range);
  }
  return textOf(
    converted(
      value,
      stringType,
      key.range,
      summary,
      (reason) => `The key expression produced an invalid result: ${reason}.`,
    ),
  );
}
