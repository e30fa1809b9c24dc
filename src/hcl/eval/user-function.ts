import { HclError, hclError } from '../diagnostic.ts';
import type { Expression } from '../syntax/expression.ts';
import { anyType, tupleValue } from '../values/value.ts';
import { evaluate } from './evaluate.ts';
import type { HclFunction, Scope } from './scope.ts';

export interface FunctionDefinition {
  /** A tuple of bare words. */
  readonly parameters: Expression;
  readonly variadic: Expression | undefined;
  readonly result: Expression;
}

/** The names of a function's parameters. Throws HclError. */
export function parameterNames({ parameters, variadic }: FunctionDefinition): {
  readonly names: readonly string[];
  readonly rest: string | undefined;
} {
  if (parameters.kind !== 'tuple') {
    throw hclError('Invalid expression', 'A static list expression is required.', parameters.range);
  }
  const word = (expression: Expression): string => {
    if (expression.kind === 'variable') return expression.name;
    // In JSON names are strings.
    if (expression.kind === 'literal' && typeof expression.value.data === 'string')
      return expression.value.data;
    throw hclError('Invalid param element', 'Each parameter name must be an identifier.', expression.range);
  };
  return { names: parameters.items.map(word), rest: variadic && word(variadic) };
}

/** A function that a file defines; `scope` is asked when it is called. */
export function userFunction(definition: FunctionDefinition, scope: () => Scope): HclFunction {
  const { names, rest } = parameterNames(definition);
  const parameter = (name: string): HclFunction['parameters'][number] => ({
    name,
    type: anyType,
    allowsNull: false,
  });
  return {
    parameters: names.map(parameter),
    ...(rest !== undefined && { variadic: parameter(rest) }),
    call(...values) {
      const variables = new Map(
        names.flatMap((name, at) => {
          const value = values[at];
          return value ? [[name, value] as const] : [];
        }),
      );
      if (rest !== undefined) variables.set(rest, tupleValue(values.slice(names.length)));
      try {
        return evaluate(definition.result, scope().child(variables));
      } catch (error) {
        throw error instanceof HclError ? new Error(error.message, { cause: error }) : error;
      }
    },
  };
}
