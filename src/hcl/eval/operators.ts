import type { BinaryOperator } from '../syntax/expression.ts';
import type { Decimal } from '../values/decimal.ts';
import { add, compare, divide, multiply, remainder, subtract } from '../values/decimal.ts';
import { sameValue } from '../values/set-order.ts';
import type { Type, Value } from '../values/value.ts';
import { anyType, boolType, boolValue, decimalOf, numberType, numberValue } from '../values/value.ts';

/** The type that both operands become. */
export function operandType(operator: BinaryOperator): Type {
  if (operator === '==' || operator === '!=') return anyType;
  return operator === '&&' || operator === '||' ? boolType : numberType;
}

const arithmetic =
  (call: (a: Decimal, b: Decimal) => Decimal) =>
  (left: Value, right: Value): Value =>
    numberValue(call(decimalOf(left), decimalOf(right)));

const comparison =
  (holds: (order: number) => boolean) =>
  (left: Value, right: Value): Value =>
    boolValue(holds(compare(decimalOf(left), decimalOf(right))));

/** What is done where the divisor is not 0. */
const dividing = (call: (a: Decimal, b: Decimal) => Decimal): ((left: Value, right: Value) => Value) =>
  arithmetic((a, b) => {
    if (b.mantissa === 0n) throw new Error('division by zero');
    return call(a, b);
  });

const operations: Readonly<Record<BinaryOperator, (left: Value, right: Value) => Value>> = {
  '==': (left, right) => boolValue(sameValue(left, right)),
  '!=': (left, right) => boolValue(!sameValue(left, right)),
  '&&': (left, right) => boolValue(left.data === true && right.data === true),
  '||': (left, right) => boolValue(left.data === true || right.data === true),
  '<': comparison((order) => order < 0),
  '>': comparison((order) => order > 0),
  '<=': comparison((order) => order <= 0),
  '>=': comparison((order) => order >= 0),
  '+': arithmetic(add),
  '-': arithmetic(subtract),
  '*': arithmetic(multiply),
  '/': dividing(divide),
  '%': dividing(remainder),
};

/** Operands are of the operator's type and not null, but for equality. Throws errors that end a sentence. */
export const operate = (operator: BinaryOperator, left: Value, right: Value): Value =>
  operations[operator](left, right);
