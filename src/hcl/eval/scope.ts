import type { Value } from '../values/value.ts';
import type { Expression } from '../syntax/expression.ts';
import type { Type } from '../values/value.ts';

/** A parameter of a function. */
export interface Parameter {
  readonly name: string;
  readonly type: Type;
  readonly allowsNull?: boolean;
}

/** What a function that looks at its arguments itself is given. */
export interface LazyCall {
  readonly expressions: readonly Expression[];
  /** Throws HclError. */
  readonly evaluate: (expression: Expression) => Value;
}

/** A function of expressions. */
export interface HclFunction {
  readonly parameters: readonly Parameter[];
  /** Takes all further arguments. */
  readonly variadic?: Parameter;
  /** Arguments are of their parameters' types. Throws ArgumentError, or any error with a message that ends a sentence. */
  readonly call: (...values: readonly Value[]) => Value;
  /** In place of `call`: gets the expressions. */
  readonly lazy?: (call: LazyCall) => Value;
}

/** A function's complaint about one of its arguments, counted from 0. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

/** The names that an expression sees. */
export class Scope {
  readonly variables: Map<string, Value>;
  readonly functions: ReadonlyMap<string, HclFunction>;
  readonly parent: Scope | undefined;

  constructor(
    variables: Map<string, Value>,
    functions: ReadonlyMap<string, HclFunction> = new Map(),
    parent?: Scope,
  ) {
    this.variables = variables;
    this.functions = functions;
    this.parent = parent;
  }

  /** With further variables, which hide others of their names. */
  child(variables: Map<string, Value>): Scope {
    return new Scope(variables, new Map(), this);
  }

  variable(name: string): Value | undefined {
    return this.variables.get(name) ?? this.parent?.variable(name);
  }

  function(name: string): HclFunction | undefined {
    return this.functions.get(name) ?? this.parent?.function(name);
  }

  names(of: 'variables' | 'functions'): string[] {
    return [...this[of].keys(), ...(this.parent?.names(of) ?? [])];
  }
}
