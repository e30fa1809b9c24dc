import type { Value } from '../values/value.ts';
import type { Range } from './source.ts';

/** An expression of the native syntax, or what a JSON value means as one. */
export type Expression =
  | {
      readonly kind: 'literal';
      readonly value: Value;
      readonly range: Range;
      /** Of a string: what stands between the quotes. */
      readonly innerRange?: Range;
    }
  | { readonly kind: 'variable'; readonly name: string; readonly range: Range }
  | { readonly kind: 'attribute'; readonly source: Expression; readonly name: string; readonly range: Range }
  | { readonly kind: 'index'; readonly source: Expression; readonly key: Expression; readonly range: Range }
  | { readonly kind: 'splat'; readonly source: Expression; readonly each: Expression; readonly range: Range }
  /** The element that a splat is at. */
  | { readonly kind: 'splat-element'; readonly range: Range }
  | Call
  | {
      readonly kind: 'conditional';
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
      readonly range: Range;
    }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly range: Range;
    }
  | {
      readonly kind: 'unary';
      readonly operator: '-' | '!';
      readonly operand: Expression;
      readonly range: Range;
    }
  | { readonly kind: 'parentheses'; readonly inner: Expression; readonly range: Range }
  | { readonly kind: 'template'; readonly parts: readonly Expression[]; readonly range: Range }
  /** A template that is one interpolation: its value is not turned into a string. */
  | { readonly kind: 'template-wrap'; readonly inner: Expression; readonly range: Range }
  /** The strings that a `%{ for }` makes, joined. */
  | { readonly kind: 'template-join'; readonly tuple: Expression; readonly range: Range }
  | { readonly kind: 'tuple'; readonly items: readonly Expression[]; readonly range: Range }
  | { readonly kind: 'object'; readonly items: readonly ObjectItem[]; readonly range: Range }
  | ForExpression;

export interface Call {
  readonly kind: 'call';
  readonly name: string;
  readonly nameRange: Range;
  /** The name and the parenthesis that opens. */
  readonly openRange: Range;
  readonly arguments: readonly Expression[];
  /** The last argument is a sequence, whose elements are the arguments. */
  readonly expands: boolean;
  readonly closeRange: Range;
  readonly range: Range;
}

export interface ObjectItem {
  /** A bare word is a key, not a variable. */
  readonly key: Expression;
  readonly value: Expression;
}

export interface ForExpression {
  readonly kind: 'for';
  readonly keyName: string | undefined;
  readonly valueName: string;
  readonly collection: Expression;
  /** Only of those that make an object. */
  readonly key: Expression | undefined;
  readonly value: Expression;
  readonly condition: Expression | undefined;
  /** Values of one key become a tuple. */
  readonly groups: boolean;
  readonly range: Range;
}

export type BinaryOperator =
  '||' | '&&' | '==' | '!=' | '<' | '>' | '<=' | '>=' | '+' | '-' | '*' | '/' | '%';

type Part =
  'source' | 'each' | 'condition' | 'yes' | 'no' | 'left' | 'right' | 'operand' | 'inner' | 'tuple' | 'key';

/** The parts of an expression that are expressions themselves, for kinds with a fixed number of them. */
const partNames: Readonly<Partial<Record<Expression['kind'], readonly Part[]>>> = {
  attribute: ['source'],
  index: ['source', 'key'],
  splat: ['source', 'each'],
  conditional: ['condition', 'yes', 'no'],
  binary: ['left', 'right'],
  unary: ['operand'],
  parentheses: ['inner'],
  'template-wrap': ['inner'],
  'template-join': ['tuple'],
};

/** The expressions right below one. */
export function childrenOf(expression: Expression): readonly Expression[] {
  if (expression.kind === 'call') return expression.arguments;
  if (expression.kind === 'template') return expression.parts;
  if (expression.kind === 'tuple') return expression.items;
  if (expression.kind === 'object') return expression.items.flatMap(({ key, value }) => [key, value]);
  if (expression.kind === 'for') {
    const { collection, key, value, condition } = expression;
    return [collection, key, value, condition].filter((child) => child !== undefined);
  }
  // The names are those of the kind's parts.
  const parts = expression as unknown as Readonly<Partial<Record<Part, Expression>>>;
  return (partNames[expression.kind] ?? []).flatMap((name) => parts[name] ?? []);
}

/** A variable that an expression reads: its name and the names or keys that follow it, as far as they are constant. */
export interface Reference {
  readonly name: string;
  readonly path: readonly string[];
  readonly range: Range;
}

/** The variables that an expression reads, without those that its own `for`s define. */
export function referencesOf(expression: Expression, bound: ReadonlySet<string> = new Set()): Reference[] {
  const chain = constantPath(expression);
  if (chain) return bound.has(chain.name) ? [] : [chain];
  if (expression.kind === 'object') {
    return expression.items.flatMap(({ key, value }) => [
      ...(key.kind === 'variable' ? [] : referencesOf(key, bound)),
      ...referencesOf(value, bound),
    ]);
  }
  if (expression.kind !== 'for') return childrenOf(expression).flatMap((child) => referencesOf(child, bound));
  const inner = new Set([...bound, expression.valueName]);
  if (expression.keyName !== undefined) inner.add(expression.keyName);
  const inside = [expression.key, expression.value, expression.condition].filter(
    (child) => child !== undefined,
  );
  return [
    ...referencesOf(expression.collection, bound),
    ...inside.flatMap((child) => referencesOf(child, inner)),
  ];
}

function constantPath(expression: Expression): Reference | undefined {
  if (expression.kind === 'variable') return { name: expression.name, path: [], range: expression.range };
  if (expression.kind === 'attribute') {
    const source = constantPath(expression.source);
    return source && { ...source, path: [...source.path, expression.name] };
  }
  if (expression.kind === 'index' && expression.key.kind === 'literal') {
    const { value } = expression.key;
    const source = constantPath(expression.source);
    return source && value.type.kind === 'string' && typeof value.data === 'string'
      ? { ...source, path: [...source.path, value.data] }
      : undefined;
  }
  return undefined;
}

/** The functions that an expression calls. */
export function callsOf(expression: Expression): Call[] {
  const own = expression.kind === 'call' ? [expression] : [];
  return [...own, ...childrenOf(expression).flatMap(callsOf)];
}

/** Where an expression begins, as messages about its value show it. */
export function startOf(expression: Expression): Range {
  const { range } = expression;
  const first = { ...range, end: range.start + 1 };
  switch (expression.kind) {
    case 'call':
      return expression.openRange;
    case 'conditional':
      return startOf(expression.condition);
    case 'binary':
      return startOf(expression.left);
    case 'template':
      return expression.parts[0] ? startOf(expression.parts[0]) : range;
    case 'literal':
      return expression.innerRange ?? range;
    case 'tuple':
    case 'object':
    case 'for':
    case 'unary':
      return first;
    case 'index':
    case 'splat':
      return { ...range, start: expression.source.range.end, end: expression.source.range.end + 1 };
    default:
      return range;
  }
}
