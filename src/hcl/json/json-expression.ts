import { parseDecimal, zero } from '../values/decimal.ts';
import { anyType, boolValue, nullOf, numberValue, stringValue } from '../values/value.ts';
import type { Expression } from '../syntax/expression.ts';
import { Lexer } from '../syntax/lexer.ts';
import { parseTemplateText } from '../syntax/parse-expression.ts';
import type { Range } from '../syntax/source.ts';
import type { JsonNode } from './parse-json.ts';

/** What a JSON value means as an expression: its strings are templates. Throws HclError. */
export function jsonExpression(node: JsonNode): Expression {
  const { range } = node;
  switch (node.kind) {
    case 'null':
      return { kind: 'literal', value: nullOf(anyType), range };
    case 'true':
    case 'false':
      return { kind: 'literal', value: boolValue(node.kind === 'true'), range };
    case 'number':
      return { kind: 'literal', value: numberValue(parseDecimal(node.text) ?? zero), range };
    case 'string':
      return template(node.text, range);
    case 'array':
      return { kind: 'tuple', items: node.items.map(jsonExpression), range };
    case 'object': {
      const items = node.properties.map(({ name, nameRange, value }) => ({
        key: template(name, nameRange),
        value: jsonExpression(value),
      }));
      return { kind: 'object', items, range };
    }
  }
}

function template(text: string, range: Range): Expression {
  if (!text.includes('${') && !text.includes('%{'))
    return { kind: 'literal', value: stringValue(text), range };
  // The unescaped text stands where the string began, so that places in it are as right as they can be.
  const { source, start } = range;
  const before = source.text.slice(0, start + 1);
  const unescaped = { name: source.name, text: before + text + source.text.slice(range.end - 1) };
  return { ...parseTemplateText(new Lexer(unescaped, before.length, before.length + text.length)), range };
}
