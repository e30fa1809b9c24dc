import { hclError } from '../diagnostic.ts';
import type { Attribute, Block, Body } from './body.ts';
import { NativeBody } from './body.ts';
import type { Token } from './lexer.ts';
import { invalidToken, Lexer } from './lexer.ts';
import { ExpressionParser } from './parse-expression.ts';
import type { Range, Source } from './source.ts';
import { describeRange, spanning } from './source.ts';

const itemRequired = 'An argument or block definition is required here.';
const equalsHint = ' To set an argument, use the equals sign "=" to introduce the argument value.';

/** Reads a file of the native syntax. Throws HclError. */
export function parseNative(source: Source): Body {
  const text = source.text.startsWith('\uFEFF') ? source.text.slice(1) : source.text;
  return new BodyParser({ ...source, text }).body(undefined);
}

class BodyParser {
  readonly #lexer: Lexer;
  readonly #expressions: ExpressionParser;

  constructor(source: Source) {
    this.#lexer = new Lexer(source);
    this.#expressions = new ExpressionParser(this.#lexer);
  }

  /** Up to the end of the file, or to the brace that closes what `open` opened. */
  body(open: Token | undefined): Body {
    const lexer = this.#lexer;
    const attributes = new Map<string, Attribute>();
    const blocks: Block[] = [];
    for (;;) {
      const token = lexer.peek();
      if (token.kind === 'newline') {
        lexer.next();
        continue;
      }
      if (token.kind === (open ? '}' : 'end')) {
        lexer.next();
        const start = open?.start ?? 0;
        return new NativeBody(attributes, blocks, lexer.range({ start, end: start }));
      }
      if (token.kind !== 'identifier') throw this.#unexpected(token, open);
      lexer.next();
      this.#item(token, attributes, blocks, false);
    }
  }

  #unexpected(token: Token, open: Token | undefined): Error {
    const lexer = this.#lexer;
    if (token.kind === 'quote') {
      const name = lexer.next();
      const value = this.#expressions.quoted(name);
      return hclError('Invalid argument name', 'Argument names must not be quoted.', value.range);
    }
    if (token.kind === 'end' && open) {
      return hclError(
        'Unclosed configuration block',
        'There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.',
        lexer.range(open),
      );
    }
    if (token.kind === 'invalid') return invalidToken(lexer, token);
    return hclError('Argument or block definition required', itemRequired, lexer.range(token));
  }

  #item(name: Token, attributes: Map<string, Attribute>, blocks: Block[], single: boolean): void {
    const lexer = this.#lexer;
    const next = lexer.peek();
    const { kind } = next;
    if (kind === 'invalid') throw invalidToken(lexer, next);
    if (kind === '=') {
      const attribute = this.#attribute(name, single);
      const before = attributes.get(attribute.name);
      if (before) throw redefined(attribute, before);
      attributes.set(attribute.name, attribute);
    } else if (single) throw this.#single(name);
    else if (kind === '{' || kind === 'quote' || kind === 'identifier') blocks.push(this.#block(name));
    else
      throw hclError('Argument or block definition required', itemRequired + equalsHint, lexer.range(name));
  }

  #single(name: Token): Error {
    const lexer = this.#lexer;
    const next = lexer.peek();
    if (next.kind !== 'quote' && next.kind !== 'identifier' && next.kind !== '{') {
      return hclError('Argument or block definition required', itemRequired + equalsHint, lexer.range(name));
    }
    return hclError(
      'Argument definition required',
      `A single-line block definition can contain only a single argument. If you meant to define argument ${JSON.stringify(name.text)}, use an equals sign to assign it a value. To define a nested block, place it on a line of its own within its parent block.`,
      spanning(lexer.range(name), lexer.range(next)),
    );
  }

  #attribute(name: Token, single: boolean): Attribute {
    const lexer = this.#lexer;
    lexer.next();
    const expression = this.#expressions.expression();
    const nameRange = lexer.range(name);
    if (!single) {
      const end = lexer.peek();
      if (end.kind === ',') {
        throw hclError(
          'Unexpected comma after argument',
          'Argument definitions must be separated by newlines, not commas. An argument definition must end with a newline.',
          lexer.range(end),
        );
      }
      if (end.kind === 'invalid') throw invalidToken(lexer, end);
      if (end.kind !== 'newline' && end.kind !== 'end') {
        throw hclError(
          'Missing newline after argument',
          'An argument definition must end with a newline.',
          lexer.range(end),
        );
      }
      lexer.next();
    }
    return { name: name.text, expression, nameRange, range: spanning(nameRange, expression.range) };
  }

  #block(type: Token): Block {
    const lexer = this.#lexer;
    const labels: string[] = [];
    const labelRanges: Range[] = [];
    for (;;) {
      const token = lexer.next();
      if (token.kind === '{') {
        const header = spanning(lexer.range(type), labelRanges.at(-1) ?? lexer.range(type));
        const body = this.#blockBody(token);
        const end = lexer.peek();
        if (end.kind !== 'newline' && end.kind !== 'end') {
          throw hclError(
            'Missing newline after block definition',
            'A block definition must end with a newline.',
            lexer.range(end),
          );
        }
        return { type: type.text, labels, labelRanges, body, headerRange: header };
      }
      if (token.kind === 'identifier') {
        labels.push(token.text);
        labelRanges.push(lexer.range(token));
      } else if (token.kind === 'quote') this.#quotedLabel(token, labels, labelRanges);
      else throw this.#badHeader(token);
    }
  }

  #quotedLabel(open: Token, labels: string[], ranges: Range[]): void {
    const label = this.#expressions.quoted(open);
    if (label.kind !== 'literal' || typeof label.value.data !== 'string') {
      throw hclError(
        'Invalid string literal',
        'Template sequences are not allowed in this string. To include a literal "$", double it (as "$$") to escape it.',
        label.range,
      );
    }
    labels.push(label.value.data);
    ranges.push(label.range);
  }

  #badHeader(token: Token): Error {
    const detail =
      token.kind === '='
        ? 'The equals sign "=" indicates an argument definition, and must not be used when defining a block.'
        : token.kind === 'newline'
          ? 'A block definition must have block content delimited by "{" and "}", starting on the same line as the block header.'
          : 'Either a quoted string block label or an opening brace ("{") is expected here.';
    return hclError('Invalid block definition', detail, this.#lexer.range(token));
  }

  #blockBody(open: Token): Body {
    const lexer = this.#lexer;
    const first = lexer.peek();
    if (first.kind === 'newline' || first.kind === 'end' || first.kind === '}') return this.body(open);
    if (first.kind !== 'identifier') throw this.#unexpected(first, open);
    lexer.next();
    const attributes = new Map<string, Attribute>();
    this.#item(first, attributes, [], true);
    const close = lexer.peek();
    if (close.kind === '}') {
      lexer.next();
      const { start } = first;
      return new NativeBody(attributes, [], lexer.range({ start, end: start }));
    }
    if (close.kind === 'end') throw this.#unexpected(close, open);
    const detail =
      close.kind === ','
        ? 'Single-line block syntax can include only one argument definition. To define multiple arguments, use the multi-line block syntax with one argument definition per line.'
        : close.kind === 'newline'
          ? "An argument definition on the same line as its containing block creates a single-line block definition, which must also be closed on the same line. Place the block's closing brace immediately after the argument definition."
          : 'A single-line block definition must end with a closing brace immediately after its single argument definition.';
    throw hclError('Invalid single-argument block definition', detail, lexer.range(close));
  }
}

const redefined = (again: Attribute, before: Attribute): Error =>
  hclError(
    'Attribute redefined',
    `The argument ${JSON.stringify(again.name)} was already set at ${describeRange(before.nameRange)}. Each argument may be set only once.`,
    again.nameRange,
  );
