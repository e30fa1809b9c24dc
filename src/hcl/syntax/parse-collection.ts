import { hclError } from '../diagnostic.ts';
import type { Expression, ObjectItem } from './expression.ts';
import type { Lexer, Token } from './lexer.ts';
import { parseFor } from './parse-for.ts';
import { spanning } from './source.ts';

/** What reads the expressions inside. */
interface Parser {
  readonly lexer: Lexer;
  expression(): Expression;
}

const startsFor = (lexer: Lexer): boolean => {
  const word = lexer.peek();
  return word.kind === 'identifier' && word.text === 'for';
};

/** Reads `[…]`, whose bracket has been read. */
export function parseTuple(parser: Parser, open: Token): Expression {
  const { lexer } = parser;
  return lexer.within(true, () => {
    if (startsFor(lexer)) return parseFor(parser, open);
    const items: Expression[] = [];
    for (;;) {
      const close = lexer.take(']');
      if (close) return { kind: 'tuple', items, range: spanning(lexer.range(open), lexer.range(close)) };
      items.push(parser.expression());
      const separator = lexer.peek();
      if (separator.kind === ',') lexer.next();
      else if (separator.kind === 'end') throw unterminated(lexer, open, 'tuple', 'bracket');
      else if (separator.kind !== ']') {
        throw hclError(
          'Missing item separator',
          'Expected a comma to mark the beginning of the next item.',
          lexer.range(separator),
        );
      }
    }
  });
}

/** Reads `{…}`, whose brace has been read. */
export function parseObject(parser: Parser, open: Token): Expression {
  const { lexer } = parser;
  if (lexer.within(true, () => startsFor(lexer))) return lexer.within(true, () => parseFor(parser, open));
  return lexer.within(false, () => {
    const items: ObjectItem[] = [];
    for (;;) {
      while (lexer.take('newline'));
      const close = lexer.take('}');
      if (close) return { kind: 'object', items, range: spanning(lexer.range(open), lexer.range(close)) };
      items.push(objectItem(parser, open));
      const separator = lexer.peek();
      if (separator.kind === ',' || separator.kind === 'newline') lexer.next();
      else if (separator.kind === 'end') throw unterminated(lexer, open, 'object', 'brace');
      else if (separator.kind !== '}') {
        throw hclError(
          'Missing attribute separator',
          'Expected a newline or comma to mark the beginning of the next attribute.',
          lexer.range(separator),
        );
      }
    }
  });
}

function objectItem(parser: Parser, open: Token): ObjectItem {
  const { lexer } = parser;
  const key = parser.expression();
  const sign = lexer.peek();
  if (sign.kind === '=' || sign.kind === ':') {
    lexer.next();
    return { key, value: parser.expression() };
  }
  if (sign.kind === 'end') throw unterminated(lexer, open, 'object', 'brace');
  const isMissing = sign.kind === 'newline' || sign.kind === ',' || sign.kind === '}';
  throw isMissing
    ? hclError(
        'Missing attribute value',
        'Expected an attribute value, introduced by an equals sign ("=").',
        lexer.range(sign),
      )
    : hclError(
        'Missing key/value separator',
        'Expected an equals sign ("=") to mark the beginning of the attribute value.',
        lexer.range(sign),
      );
}

const unterminated = (lexer: Lexer, open: Token, what: string, sign: string): Error =>
  hclError(
    `Unterminated ${what} constructor expression`,
    `There is no corresponding closing ${sign} before the end of the file. This may be caused by incorrect ${sign} nesting elsewhere in this file.`,
    lexer.range(open),
  );
