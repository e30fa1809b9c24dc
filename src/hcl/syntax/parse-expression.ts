import { hclError } from '../diagnostic.ts';
import { parseDecimal } from '../values/decimal.ts';
import { anyType, boolValue, nullOf, numberValue } from '../values/value.ts';
import type { BinaryOperator, Expression } from './expression.ts';
import type { Token } from './lexer.ts';
import { invalidToken, Lexer } from './lexer.ts';
import { parseObject, parseTuple } from './parse-collection.ts';
import type { Range } from './source.ts';
import { spanning } from './source.ts';
import { parseTemplate } from './template.ts';

/** Operators by how tightly they bind, loosest first. */
const precedence: readonly (readonly BinaryOperator[])[] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];

/** Deeper nesting is no configuration that anybody wrote. */
const deepest = 150;
const longest = 500;

/** Reads expressions from a lexer. */
export class ExpressionParser {
  readonly lexer: Lexer;
  #depth = 0;

  constructor(lexer: Lexer) {
    this.lexer = lexer;
  }

  expression(): Expression {
    const { lexer } = this;
    if (this.#depth >= deepest) {
      throw hclError('Invalid expression', 'The expression is nested too deeply.', lexer.range(lexer.peek()));
    }
    this.#depth += 1;
    try {
      const condition = this.#binary(0);
      if (!lexer.take('?')) return condition;
      const yes = this.expression();
      const colon = lexer.next();
      if (colon.kind !== ':') {
        throw hclError(
          'Missing false expression in conditional',
          'The conditional operator (...?...:...) requires a false expression, delimited by a colon.',
          lexer.range(colon),
        );
      }
      const no = this.expression();
      return { kind: 'conditional', condition, yes, no, range: spanning(condition.range, no.range) };
    } finally {
      this.#depth -= 1;
    }
  }

  /** A chain of operators or steps is as deep as it is long. */
  #checkDepth(count: number): void {
    if (count <= longest) return;
    const range = this.lexer.range(this.lexer.peek());
    throw hclError('Invalid expression', 'The expression is nested too deeply.', range);
  }

  #binary(level: number): Expression {
    const operators = precedence[level];
    if (!operators) return this.#unary();
    let left = this.#binary(level + 1);
    for (let count = 0; ; count += 1) {
      this.#checkDepth(count);
      const { kind } = this.lexer.peek();
      const operator = operators.find((each) => each === kind);
      if (!operator) return left;
      this.lexer.next();
      const right = this.#binary(level + 1);
      left = { kind: 'binary', operator, left, right, range: spanning(left.range, right.range) };
    }
  }

  #unary(): Expression {
    const { kind } = this.lexer.peek();
    if (kind !== '-' && kind !== '!') return this.#traversals(this.#primary());
    const sign = this.lexer.next();
    this.#depth += 1;
    if (this.#depth > deepest) {
      throw hclError('Invalid expression', 'The expression is nested too deeply.', this.lexer.range(sign));
    }
    const operand = this.#unary();
    this.#depth -= 1;
    return { kind: 'unary', operator: kind, operand, range: spanning(this.lexer.range(sign), operand.range) };
  }

  /** What follows a value: `.name`, `.0`, `[key]`, `[*]`, `.*`. */
  #traversals(source: Expression, insideSplat = false): Expression {
    const { lexer } = this;
    let result = source;
    for (let count = 0; ; count += 1) {
      this.#checkDepth(count);
      if (lexer.peek().kind === '.') result = this.#afterDot(result, insideSplat);
      else if (!insideSplat && lexer.peek().kind === '[') result = this.#afterBracket(result);
      else return result;
    }
  }

  #afterDot(source: Expression, insideSplat: boolean): Expression {
    const { lexer } = this;
    lexer.next();
    const name = lexer.next();
    const range = spanning(source.range, lexer.range(name));
    if (name.kind === 'identifier') return { kind: 'attribute', source, name: name.text, range };
    if (name.kind === 'number') {
      if (name.text.includes('.')) {
        const [first = '', second = ''] = name.text.split('.');
        throw hclError(
          'Invalid legacy index syntax',
          `When using the legacy index syntax, chaining two indexes together is not permitted. Use the proper index syntax instead, like [${first}][${second}].`,
          lexer.range(name),
        );
      }
      return { kind: 'index', source, key: this.#number(name), range };
    }
    if (name.kind === '*') {
      if (insideSplat) {
        throw hclError(
          'Nested splat expression not allowed',
          'A splat expression (*) cannot be used inside another attribute-only splat expression.',
          lexer.range(name),
        );
      }
      const element: Expression = { kind: 'splat-element', range: lexer.range(name) };
      const each = this.#traversals(element, true);
      return { kind: 'splat', source, each, range: spanning(range, each.range) };
    }
    throw hclError('Invalid attribute name', 'An attribute name is required after a dot.', lexer.range(name));
  }

  #afterBracket(source: Expression): Expression {
    const { lexer } = this;
    const open = lexer.next();
    const { key, close } = lexer.within(true, () => {
      const star = lexer.take('*');
      const inside = star ? undefined : this.expression();
      const end = lexer.next();
      if (end.kind !== ']') {
        throw star
          ? hclError(
              'Missing close bracket on splat index',
              'The star for a full splat operator must be immediately followed by a closing bracket ("]").',
              lexer.range(end),
            )
          : hclError(
              'Missing close bracket on index',
              'The index operator must end with a closing bracket ("]").',
              lexer.range(end),
            );
      }
      return { key: inside, close: end };
    });
    const range = spanning(source.range, lexer.range(close));
    if (key) return { kind: 'index', source, key, range };
    const element: Expression = {
      kind: 'splat-element',
      range: lexer.range({ start: open.start, end: close.end }),
    };
    const each = this.#traversals(element);
    return { kind: 'splat', source, each, range: spanning(range, each.range) };
  }

  #number(token: Token): Expression {
    const value = parseDecimal(token.text);
    if (!value) {
      throw hclError(
        'Invalid number literal',
        'Failed to recognize the value of this number literal.',
        this.lexer.range(token),
      );
    }
    return { kind: 'literal', value: numberValue(value), range: this.lexer.range(token) };
  }

  #primary(): Expression {
    const { lexer } = this;
    const token = lexer.next();
    switch (token.kind) {
      case '(':
        return this.#parentheses(token);
      case 'number':
        return this.#number(token);
      case 'identifier':
        return this.#word(token);
      case 'quote':
        return this.quoted(token);
      case 'heredoc':
        return this.#heredoc(token);
      case '[':
        return parseTuple(this, token);
      case '{':
        return parseObject(this, token);
      case 'invalid':
        throw invalidToken(lexer, token);
      case 'end':
        throw hclError(
          'Missing expression',
          'Expected the start of an expression, but found the end of the file.',
          lexer.range(token),
        );
      default:
        throw hclError(
          'Invalid expression',
          'Expected the start of an expression, but found an invalid expression token.',
          lexer.range(token),
        );
    }
  }

  #parentheses(open: Token): Expression {
    const { lexer } = this;
    return lexer.within(true, () => {
      const inner = this.expression();
      const close = lexer.next();
      if (close.kind !== ')') {
        throw hclError(
          'Unbalanced parentheses',
          'Expected a closing parenthesis to terminate the expression.',
          lexer.range(close),
        );
      }
      return { kind: 'parentheses', inner, range: spanning(lexer.range(open), lexer.range(close)) };
    });
  }

  #word(token: Token): Expression {
    const { lexer } = this;
    const range = lexer.range(token);
    const { kind } = lexer.peek();
    if (kind === '(' || kind === '::') return this.#call(token);
    if (token.text === 'true' || token.text === 'false') {
      return { kind: 'literal', value: boolValue(token.text === 'true'), range };
    }
    if (token.text === 'null') return { kind: 'literal', value: nullOf(anyType), range };
    return { kind: 'variable', name: token.text, range };
  }

  #call(first: Token): Expression {
    const { lexer } = this;
    let name = first.text;
    let nameRange = lexer.range(first);
    while (lexer.take('::')) {
      const part = lexer.next();
      if (part.kind !== 'identifier') {
        throw hclError(
          'Missing function name',
          'Function scope resolution symbol :: must be followed by a function name in this scope.',
          lexer.range(part),
        );
      }
      name += `::${part.text}`;
      nameRange = spanning(nameRange, lexer.range(part));
    }
    const open = lexer.next();
    if (open.kind !== '(') {
      throw hclError(
        'Missing open parenthesis',
        'Function selector must be followed by an open parenthesis to begin the function call.',
        lexer.range(open),
      );
    }
    const openRange = spanning(nameRange, lexer.range(open));
    return lexer.within(true, () => {
      const args: Expression[] = [];
      let expands = false;
      for (;;) {
        const close = lexer.take(')');
        if (close) {
          const closeRange = lexer.range(close);
          const range = spanning(nameRange, closeRange);
          return { kind: 'call', name, nameRange, openRange, arguments: args, expands, closeRange, range };
        }
        args.push(this.expression());
        const separator = lexer.peek();
        if (separator.kind === ',') lexer.next();
        else if (separator.kind === '...') {
          lexer.next();
          expands = true;
          const end = lexer.peek();
          if (end.kind !== ')') {
            throw hclError(
              'Missing closing parenthesis',
              'An expanded function argument (with ...) must be immediately followed by closing parentheses.',
              lexer.range(end),
            );
          }
        } else if (separator.kind !== ')') this.#failCall(separator, openRange);
      }
    });
  }

  #failCall(separator: Token, call: Range): never {
    throw separator.kind === 'end'
      ? hclError(
          'Unterminated function call',
          'There is no closing parenthesis for this function call before the end of the file. This may be caused by incorrect parenthesis nesting elsewhere in this file.',
          call,
        )
      : hclError(
          'Missing argument separator',
          'A comma is required to separate each function argument from the next.',
          this.lexer.range(separator),
        );
  }

  /** A string between quotes, whose opening one has been read. */
  quoted(open: Token): Expression {
    const { lexer } = this;
    const inside = parseTemplate(lexer, {
      ends: (position) => position < lexer.limit && lexer.source.text[position] === '"',
      escapes: true,
      flush: false,
      start: open.start,
      expression: () => this.expression(),
    });
    lexer.moveTo(lexer.position + 1);
    const range = lexer.range({ start: open.start, end: lexer.position });
    return inside.kind === 'literal' ? { ...inside, innerRange: inside.range, range } : { ...inside, range };
  }

  #heredoc(open: Token): Expression {
    const { lexer } = this;
    const { text } = lexer.source;
    const marker = /<<-?(\S+)/.exec(open.text)?.[1] ?? '';
    const isEnd = (position: number): boolean => {
      if (text[position - 1] !== '\n') return false;
      const line = /^[ \t]*(.*?)[ \t]*\r?(?:\n|$)/.exec(text.slice(position, nextLine(text, position)));
      return line?.[1] === marker;
    };
    const inside = parseTemplate(lexer, {
      ends: isEnd,
      escapes: false,
      flush: open.text.startsWith('<<-'),
      start: open.start,
      expression: () => this.expression(),
    });
    // The newline after the marker belongs to what follows.
    const end = text.indexOf(marker, lexer.position) + marker.length;
    lexer.moveTo(end);
    return { ...inside, range: lexer.range({ start: open.start, end }) };
  }
}

function nextLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at < 0 ? text.length : at + 1;
}

/** Reads a text as a template, as the strings of HCL's JSON are. `text` is a piece of the source. */
export function parseTemplateText(lexer: Lexer): Expression {
  const parser = new ExpressionParser(lexer);
  return parseTemplate(lexer, {
    ends: (position) => position >= lexer.limit,
    escapes: false,
    flush: false,
    start: lexer.position,
    expression: () => parser.expression(),
  });
}

/** Reads an expression that stands in a string. Places in it are where the string is. */
export function parseExpressionText(text: string, range: Range): Expression {
  const lexer = new Lexer({ name: range.source.name, text });
  const expression = new ExpressionParser(lexer).expression();
  const rest = lexer.peek();
  if (rest.kind !== 'end')
    throw hclError(
      'Extra characters after expression',
      'An expression was successfully parsed, but extra characters were found after it.',
      range,
    );
  return { ...expression, range };
}
