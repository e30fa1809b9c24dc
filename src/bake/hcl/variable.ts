import { messageOf } from '#kernel';
import type { Attribute, Block, Expression, Type, Value } from '#hcl';
import {
  convert,
  fromJson,
  hclError,
  listValue,
  mapValue,
  nullOf,
  parseCsv,
  stringValue,
  textOf,
  tupleValue,
  typeConstraint,
  typeName,
  toJson,
  typeToJson,
  isPrimitive,
  anyType,
  evaluate,
  Scope,
  stringType,
} from '#hcl';
import { booleanError, parseBoolean } from '../entries/fields.ts';

/** A `variable` block. */
export interface VariableDefinition {
  readonly name: string;
  readonly type: Attribute | undefined;
  readonly default: Attribute | undefined;
  readonly description: string;
  readonly validations: readonly Validation[];
  readonly block: Block;
}

interface Validation {
  readonly condition: Expression;
  readonly message: Expression;
}

/** What `--list=variables` shows of one. */
export interface VariableInfo {
  readonly name: string;
  readonly description?: string;
  readonly type?: string;
  /** Missing for null. */
  readonly value?: string;
}

/** Reads a `variable` block. Throws HclError. */
export function readVariable(block: Block): VariableDefinition {
  const { attributes, blocks } = block.body.content({
    attributes: ['type', 'default', 'description'],
    blocks: { validation: [] },
  });
  const description = attributes.get('description');
  const text = description && evaluate(description.expression, new Scope(new Map()));
  return {
    name: block.labels[0] ?? '',
    type: attributes.get('type'),
    default: attributes.get('default'),
    description: text && text.data !== null ? textOf(convert(text, stringType)) : '',
    validations: blocks.map(readValidation),
    block,
  };
}

function readValidation({ body }: Block): Validation {
  const { attributes } = body.content({ attributes: ['condition', 'error_message'], blocks: {} });
  const nothing: Expression = { kind: 'literal', value: nullOf(anyType), range: body.missingRange };
  return {
    condition: attributes.get('condition')?.expression ?? nothing,
    message: attributes.get('error_message')?.expression ?? nothing,
  };
}

/** The type that a variable is given; undefined where it has none. Throws HclError. */
export function variableType({ type }: VariableDefinition): Type | undefined {
  if (!type) return undefined;
  const { expression } = type;
  // In JSON the type is a string.
  if (expression.kind === 'literal' && expression.value.data === null) return undefined;
  return typeConstraint(expression);
}

/** A value that the environment gives. */
export interface Override {
  readonly text: string;
  readonly isJson: boolean;
}

/** The value that a text has for a variable. Throws errors with buildx's words. */
export function overriddenValue(
  name: string,
  { text, isJson }: Override,
  type: Type | undefined,
  given: Value | undefined,
): Value {
  if (type && isJson) return explained(name, 'JSON', () => convert(fromJson(text), type));
  if (type && isCollection(type)) return explained(name, 'CSV', () => fromCsv(name, text, type));
  const actual = type ?? given?.type ?? anyType;
  if (!type && (!given || actual.kind === 'any')) return stringValue(text);
  if (isPrimitive(actual)) return primitive(name, text, actual);
  throw new Error(`unsupported type ${typeName(actual)} for variable ${name}`);
}

/** Says which variable could not be read. */
function explained(name: string, form: 'JSON' | 'CSV', read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new Error(`failed to convert variable ${name} from ${form}: ${messageOf(error)}`, { cause: error });
  }
}

function primitive(name: string, text: string, type: Type): Value {
  if (type.kind === 'bool') {
    const value = parseBoolean(text);
    if (value === undefined) throw new Error(`failed to parse ${name} as bool: ${booleanError(text)}`);
    return convert(stringValue(String(value)), type);
  }
  if (type.kind === 'string') return stringValue(text);
  try {
    return convert(stringValue(text), type);
  } catch {
    throw new Error(
      `failed to parse ${name} as number: strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
}

type Collection = Extract<Type, { readonly kind: 'list' | 'set' | 'map' | 'tuple' }>;

const isCollection = (type: Type): type is Collection =>
  type.kind === 'tuple' || type.kind === 'list' || type.kind === 'set' || type.kind === 'map';

function fromCsv(name: string, text: string, type: Collection): Value {
  const fields = parseCsv(text)[0]?.fields ?? [];
  const item = (field: string, wanted: Type): Value => {
    if (!isPrimitive(wanted)) throw new Error(`unsupported type ${typeName(type)} for CSV specification`);
    try {
      return primitive(name, field, wanted);
    } catch (error) {
      throw new Error(`failed to parse element of type ${typeName(type)}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
  if (type.kind === 'tuple') {
    if (type.elements.length !== fields.length) {
      throw new Error(`tuple expects ${type.elements.length} elements but only ${fields.length} provided`);
    }
    return tupleValue(fields.map((field, at) => item(field, type.elements[at] ?? anyType)));
  }
  if (type.kind !== 'map')
    return convert(
      listValue(
        fields.map((field) => item(field, type.element)),
        type.element,
      ),
      type,
    );
  const pairs = fields.map((field): [string, Value] => {
    const parts = parseCsv(field, ':')[0]?.fields ?? [];
    const [key = '', value = ''] = parts;
    if (parts.length !== 2)
      throw new Error(`expected one k/v pair but got ${parts.length} pieces from ${field}`);
    return [key, item(value, type.element)];
  });
  return mapValue(pairs, type.element);
}

/** What lists show of a variable and its value. */
export function describeVariable(
  { name, description }: VariableDefinition,
  type: Type | undefined,
  value: Value,
): VariableInfo {
  return {
    name,
    ...(description !== '' && { description }),
    ...(type && { type: typeName(type, true) }),
    ...(value.data !== null && { value: shown(value, type) }),
  };
}

function shown(value: Value, type: Type | undefined): string {
  if (type?.kind === 'any') return `{"value":${toJson(value)},"type":${typeToJson(value.type)}}`;
  return isPrimitive(value.type) ? textOf(convert(value, stringType)) : toJson(value);
}

/** Checks a variable's conditions. Throws HclError with the author's message. */
export function checkVariable({ validations }: VariableDefinition, scope: Scope): void {
  for (const { condition, message } of validations) {
    const result = evaluate(condition, scope);
    const { range } = condition;
    if (result.data === null) {
      throw hclError(
        'Invalid condition result',
        'Condition expression must return either true or false, not null.',
        range,
      );
    }
    if (conditionHolds(result, condition)) continue;
    const text = evaluate(message, scope);
    const detail =
      text.data === null
        ? 'This check failed, but has an invalid error message.'
        : textOf(convert(text, stringType));
    throw hclError('Validation failed', detail, range);
  }
}

function conditionHolds(result: Value, { range }: Expression): boolean {
  try {
    return convert(result, { kind: 'bool' }).data === true;
  } catch (error) {
    throw hclError('Invalid condition result', `Invalid condition result value: ${messageOf(error)}`, range);
  }
}

export const emptyVariable = (type: Type | undefined): Value => (type ? nullOf(type) : stringValue(''));
