import { messageOf } from '#kernel';
import { HclError, hclError } from '../diagnostic.ts';
import type { Call, Expression } from '../syntax/expression.ts';
import { startOf } from '../syntax/expression.ts';
import type { Range } from '../syntax/source.ts';
import { convert } from '../values/convert.ts';
import type { Value } from '../values/value.ts';
import { isSequence, itemsOf } from '../values/value.ts';
import type { HclFunction, Scope } from './scope.ts';
import { ArgumentError } from './scope.ts';
import { suggestion } from './suggestion.ts';

interface Argument {
  readonly range: Range;
  readonly expression: Expression | undefined;
  value(): Value;
}

/** Calls a function. Throws HclError. */
export function callFunction(
  call: Call,
  scope: Scope,
  evaluate: (expression: Expression, scope: Scope) => Value,
): Value {
  const found = scope.function(call.name);
  if (!found) throw unknownFunction(call, scope);
  const args = expandArguments(call, (expression) => evaluate(expression, scope));
  checkCount(call, found, args);
  if (found.lazy) {
    const expressions = args.flatMap(({ expression }) => expression ?? []);
    return complain(call, found, args, () =>
      found.lazy?.({ expressions, evaluate: (expression) => evaluate(expression, scope) }),
    );
  }
  const values = args.map((argument, index) => {
    const parameter = found.parameters[index] ?? found.variadic;
    const value = argument.value();
    try {
      return parameter ? convert(value, parameter.type) : value;
    } catch (error) {
      throw hclError(
        'Invalid function argument',
        `Invalid value for ${JSON.stringify(parameter?.name)} parameter: ${messageOf(error)}.`,
        argument.range,
      );
    }
  });
  return complain(call, found, args, () => {
    for (const [index, value] of values.entries()) {
      const parameter = found.parameters[index] ?? found.variadic;
      if (value.data === null && parameter?.allowsNull !== true)
        throw new ArgumentError(index, 'argument must not be null');
    }
    return found.call(...values);
  });
}

function unknownFunction(call: Call, scope: Scope): Error {
  const hint = suggestion(call.name, scope.names('functions'));
  const namespace = /^(.*::)/.exec(call.name)?.[1];
  const detail =
    namespace === undefined
      ? `There is no function named ${JSON.stringify(call.name)}.${hint}`
      : `There are no functions in namespace ${JSON.stringify(namespace)}.`;
  return hclError('Call to unknown function', detail, call.nameRange);
}

function expandArguments(call: Call, evaluate: (expression: Expression) => Value): Argument[] {
  const args = call.arguments.map((expression) => ({
    range: startOf(expression),
    expression,
    value: () => evaluate(expression),
  }));
  const last = call.expands ? args.at(-1) : undefined;
  if (!last) return args;
  const value = last.value();
  const fail = (detail: string): Error => hclError('Invalid expanding argument value', detail, last.range);
  if (value.data === null) throw fail('The expanding argument (indicated by ...) must not be null.');
  if (!isSequence(value.type)) {
    throw fail('The expanding argument (indicated by ...) must be of a tuple, list, or set type.');
  }
  const items = itemsOf(value).map((item): Argument => {
    const expression: Expression = { kind: 'literal', value: item, range: last.range };
    return { range: last.range, expression, value: () => item };
  });
  return [...args.slice(0, -1), ...items];
}

function checkCount(call: Call, { parameters, variadic }: HclFunction, args: readonly Argument[]): void {
  const name = JSON.stringify(call.name);
  const missing = parameters[args.length];
  if (missing) {
    const least = variadic ? ' at least' : '';
    throw hclError(
      'Not enough function arguments',
      `Function ${name} expects${least} ${parameters.length} argument(s). Missing value for ${JSON.stringify(missing.name)}.`,
      call.closeRange,
    );
  }
  const extra = args[parameters.length];
  if (!variadic && extra) {
    throw hclError(
      'Too many function arguments',
      `Function ${name} expects only ${parameters.length} argument(s).`,
      extra.range,
    );
  }
}

/** Turns what a function throws into a diagnostic of its call. */
function complain(
  call: Call,
  { parameters, variadic }: HclFunction,
  args: readonly Argument[],
  body: () => Value | undefined,
): Value {
  try {
    const result = body();
    if (!result) throw new Error('no result');
    return result;
  } catch (error) {
    if (error instanceof HclError) throw error;
    const argument = error instanceof ArgumentError ? args[error.index] : undefined;
    if (error instanceof ArgumentError && argument) {
      const parameter = parameters[error.index] ?? variadic;
      throw hclError(
        'Invalid function argument',
        `Invalid value for ${JSON.stringify(parameter?.name)} parameter: ${error.message}.`,
        argument.range,
      );
    }
    throw hclError(
      'Error in function call',
      `Call to function ${JSON.stringify(call.name)} failed: ${messageOf(error)}.`,
      call.openRange,
    );
  }
}
