import type { HclFunction, Parameter } from '../eval/scope.ts';
import { ArgumentError } from '../eval/scope.ts';
import { isInteger, toInteger, toNumber } from '../values/decimal.ts';
import type { Type, Value } from '../values/value.ts';
import {
  anyType,
  boolType,
  decimalOf,
  numberType,
  stringType,
  stringValue,
  textOf,
} from '../values/value.ts';

/** Functions by name. */
export type Functions = Readonly<Record<string, HclFunction>>;

export const any = (name: string): Parameter => ({ name, type: anyType });
export const anyOrNull = (name: string): Parameter => ({ name, type: anyType, allowsNull: true });
export const text = (name: string): Parameter => ({ name, type: stringType });
export const number = (name: string): Parameter => ({ name, type: numberType });
export const bool = (name: string): Parameter => ({ name, type: boolType });
export const of = (name: string, type: Type): Parameter => ({ name, type });

export const define = (parameters: readonly Parameter[], call: HclFunction['call']): HclFunction => ({
  parameters,
  call,
});

export const variadic = (
  parameters: readonly Parameter[],
  rest: Parameter,
  call: HclFunction['call'],
): HclFunction => ({ parameters, variadic: rest, call });

/** From text to text. */
export const textFunction = (parameter: string, call: (text: string) => string): HclFunction =>
  define([text(parameter)], (value) => stringValue(call(textOf(value))));

/** A whole number as JavaScript's. */
export function wholeNumber(value: Value, index: number): number {
  const number = decimalOf(value);
  if (!isInteger(number)) throw new ArgumentError(index, 'value must be a whole number');
  const whole = Number(toInteger(number));
  if (!Number.isSafeInteger(whole))
    throw new ArgumentError(
      index,
      'value must be a whole number, between -9223372036854775808 and 9223372036854775807 inclusive',
    );
  return whole;
}

export const floatOf = (value: Value): number => toNumber(decimalOf(value));
