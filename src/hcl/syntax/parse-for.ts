import { hclError } from '../diagnostic.ts';
import type { Expression } from './expression.ts';
import type { Lexer, Token } from './lexer.ts';
import { spanning } from './source.ts';

const summary = "Invalid 'for' expression";

/** Reads `[for …]` and `{for …}`, whose bracket has been read; newlines are blanks. */
export function parseFor(
  parser: { readonly lexer: Lexer; expression(): Expression },
  open: Token,
): Expression {
  const { lexer } = parser;
  const fail = (detail: string, token: Token): Error => hclError(summary, detail, lexer.range(token));
  const name = (detail: string): string => {
    const token = lexer.next();
    if (token.kind !== 'identifier') throw fail(detail, token);
    return token.text;
  };
  lexer.next();
  const first = name("For expression requires variable name after 'for'.");
  const second = lexer.take(',') && name('For expression requires value variable name after comma.');
  const word = lexer.next();
  if (word.text !== 'in')
    throw fail("For expression requires the 'in' keyword after its name declarations.", word);
  const collection = parser.expression();
  const colon = lexer.next();
  if (colon.kind !== ':')
    throw fail('For expression requires a colon after the collection expression.', colon);
  let value = parser.expression();
  let key: Expression | undefined;
  if (lexer.take('=>')) {
    key = value;
    value = parser.expression();
  }
  const ellipsis = lexer.take('...');
  const next = lexer.peek();
  let condition: Expression | undefined;
  if (next.kind === 'identifier' && next.text === 'if') {
    lexer.next();
    condition = parser.expression();
  }
  const close = lexer.next();
  const isObject = open.kind === '{';
  if (close.kind !== (isObject ? '}' : ']'))
    throw fail("Extra characters after the end of the 'for' expression.", close);
  if (!isObject && key)
    throw hclError(summary, 'Key expression is not valid when building a tuple.', key.range);
  if (!isObject && ellipsis)
    throw fail('Grouping ellipsis (...) cannot be used when building a tuple.', ellipsis);
  if (isObject && !key)
    throw hclError(summary, 'Key expression is required when building an object.', value.range);
  const names =
    second === undefined ? { keyName: undefined, valueName: first } : { keyName: first, valueName: second };
  return {
    kind: 'for',
    ...names,
    collection,
    key,
    value,
    condition,
    groups: ellipsis !== undefined,
    range: spanning(lexer.range(open), lexer.range(close)),
  };
}
