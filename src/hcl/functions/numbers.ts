import { ArgumentError } from '../eval/scope.ts';
import { operate } from '../eval/operators.ts';
import type { BinaryOperator } from '../syntax/expression.ts';
import { ceiling, compare, floor, fromInteger, fromNumber, negate, truncate } from '../values/decimal.ts';
import type { Decimal } from '../values/decimal.ts';
import type { Value } from '../values/value.ts';
import {
  boolValue,
  decimalOf,
  listValue,
  numberType,
  numberValue,
  textOf,
  typeName,
} from '../values/value.ts';
import type { Functions } from './define.ts';
import { any, anyOrNull, bool, define, floatOf, number, variadic, wholeNumber } from './define.ts';

const operator = (sign: BinaryOperator): Functions[string] =>
  define([number('a'), number('b')], (a, b) => operate(sign, ...pair(a, b)));
const logical = (sign: '&&' | '||'): Functions[string] =>
  define([bool('a'), bool('b')], (a, b) => operate(sign, ...pair(a, b)));
const equality = (sign: '==' | '!='): Functions[string] =>
  define([anyOrNull('a'), anyOrNull('b')], (a, b) => operate(sign, ...pair(a, b)));

function pair(a: Value | undefined, b: Value | undefined): [Value, Value] {
  if (!a || !b) throw new TypeError('two arguments are required');
  return [a, b];
}

const unary = (call: (value: Decimal) => Decimal): Functions[string] =>
  define([number('num')], (value) => numberValue(call(decimalOf(value))));

const float = (value: number): Value => {
  if (!Number.isFinite(value)) throw new Error('the result is not a finite number');
  return numberValue(fromNumber(value));
};

const extreme = (sign: 1 | -1): Functions[string] =>
  variadic([], number('numbers'), (...values) => {
    const [first, ...others] = values;
    if (!first) throw new Error('must pass at least one number');
    return others.reduce(
      (best, each) => (compare(decimalOf(each), decimalOf(best)) * sign > 0 ? each : best),
      first,
    );
  });

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Throws where the text is no integer of the base. */
function parseInteger(source: string, base: number): bigint {
  const digits = source.replace(/^[+-]/, '');
  let total = 0n;
  for (const character of base <= 36 ? digits.toLowerCase() : digits) {
    const digit = alphabet.indexOf(character);
    if (digit < 0 || digit >= base) throw new RangeError('not a digit');
    total = total * BigInt(base) + BigInt(digit);
  }
  if (digits === '') throw new RangeError('no digits');
  return source.startsWith('-') ? -total : total;
}

const parseint = define([any('number'), number('base')], (value, baseValue) => {
  if (value.type.kind !== 'string') {
    throw new ArgumentError(0, `first argument must be a string, not ${typeName(value.type)}`);
  }
  const base = wholeNumber(baseValue, 1);
  if (base < 2 || base > 62)
    throw new ArgumentError(1, 'base must be a whole number between 2 and 62 inclusive');
  const source = textOf(value);
  try {
    return numberValue(fromInteger(parseInteger(source, base)));
  } catch {
    throw new ArgumentError(0, `cannot parse ${JSON.stringify(source)} as a base ${base} integer`);
  }
});

const most = 1024;

const range = variadic([], number('params'), (...values) => {
  if (values.length < 1 || values.length > 3) throw new Error('must have one, two, or three arguments');
  const numbers = values.map(decimalOf);
  const one = fromInteger(1);
  const [first = one, second, third] = numbers;
  const [start, end] = second ? [first, second] : [fromInteger(0), first];
  const step = third ?? (compare(end, start) < 0 ? negate(one) : one);
  if (step.mantissa === 0n) throw new ArgumentError(2, 'step must not be zero');
  const down = step.mantissa < 0n;
  if (down && compare(end, start) > 0) {
    throw new ArgumentError(1, 'end must be less than start when step is negative');
  }
  if (!down && compare(end, start) < 0) {
    throw new ArgumentError(1, 'end must be greater than start when step is positive');
  }
  const result: Value[] = [];
  let value = numberValue(start);
  while (down ? compare(decimalOf(value), end) > 0 : compare(decimalOf(value), end) < 0) {
    if (result.length >= most) {
      throw new Error(
        'more than 1024 values were generated; either decrease the difference between start and end or use a smaller step',
      );
    }
    result.push(value);
    value = operate('+', value, numberValue(step));
  }
  return listValue(result, numberType);
});

/** Arithmetic, comparison and logic. */
export const numberFunctions: Functions = {
  absolute: unary((value) => (value.mantissa < 0n ? negate(value) : value)),
  add: operator('+'),
  and: logical('&&'),
  ceil: unary(ceiling),
  divide: operator('/'),
  equal: equality('=='),
  floor: unary(floor),
  greaterthan: operator('>'),
  greaterthanorequalto: operator('>='),
  int: unary(truncate),
  lessthan: operator('<'),
  lessthanorequalto: operator('<='),
  log: define([number('num'), number('base')], (value, base) =>
    float(Math.log(floatOf(value)) / Math.log(floatOf(base))),
  ),
  max: extreme(1),
  min: extreme(-1),
  modulo: operator('%'),
  multiply: operator('*'),
  negate: unary(negate),
  not: define([bool('val')], (value) => boolValue(value.data === false)),
  notequal: equality('!='),
  or: logical('||'),
  parseint,
  pow: define([number('num'), number('power')], (value, power) => float(floatOf(value) ** floatOf(power))),
  range,
  signum: define([number('num')], (value) => numberValue(fromInteger(Math.sign(wholeNumber(value, 0))))),
  subtract: operator('-'),
};
