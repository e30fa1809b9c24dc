import { hclError } from '../diagnostic.ts';
import type { Range, Source } from './source.ts';

/** Punctuation is its own kind. */
export type TokenKind =
  'identifier' | 'number' | 'quote' | 'heredoc' | 'newline' | 'end' | 'invalid' | Punctuation;

const punctuation = [
  '...',
  '=>',
  '==',
  '!=',
  '<=',
  '>=',
  '&&',
  '||',
  '::',
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  '=',
  '<',
  '>',
  '!',
  '.',
  ',',
  '?',
  ':',
  '+',
  '-',
  '*',
  '/',
  '%',
] as const;
type Punctuation = (typeof punctuation)[number];

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const blanks = /[ \t]+|(?:#|\/\/)[^\n]*(?=\n|$)|\/\*[\s\S]*?\*\//y;
const newline = /\r?\n/y;
const identifier = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
const number = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const heredocStart = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)\r?\n/uy;

/** Tokens of the native syntax, on demand: templates are read by their own rules, from the same position. */
export class Lexer {
  readonly source: Source;
  /** Where the next token is looked for. */
  position: number;
  readonly limit: number;
  /** Inside brackets newlines are blanks. */
  #bracketed = [false];
  #ahead: Token | undefined;

  constructor(source: Source, start = 0, limit = source.text.length) {
    this.source = source;
    this.position = start;
    this.limit = limit;
  }

  range(token: { readonly start: number; readonly end: number }): Range {
    return { source: this.source, start: token.start, end: token.end };
  }

  /** Reads `body` with newlines as blanks, or as tokens again. */
  within<T>(bracketed: boolean, body: () => T): T {
    this.#bracketed.push(bracketed);
    this.#ahead = undefined;
    try {
      return body();
    } finally {
      this.#bracketed.pop();
      this.#ahead = undefined;
    }
  }

  peek(): Token {
    return (this.#ahead ??= this.#scan(this.position));
  }

  next(): Token {
    const token = this.peek();
    this.moveTo(token.end);
    return token;
  }

  /** The next token if it is of this kind; otherwise nothing is read. */
  take(kind: TokenKind): Token | undefined {
    return this.peek().kind === kind ? this.next() : undefined;
  }

  moveTo(position: number): void {
    this.position = position;
    this.#ahead = undefined;
  }

  #match(pattern: RegExp, at: number): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(this.source.text)?.[0];
    return found !== undefined && at + found.length <= this.limit ? found : undefined;
  }

  #scan(from: number): Token {
    const skipsNewlines = this.#bracketed.at(-1) === true;
    let at = from;
    for (;;) {
      const skipped = this.#match(blanks, at) ?? (skipsNewlines ? this.#match(newline, at) : undefined);
      if (skipped === undefined || skipped === '') break;
      at += skipped.length;
    }
    const token = (kind: TokenKind, text: string): Token => ({
      kind,
      start: at,
      end: at + text.length,
      text,
    });
    if (at >= this.limit) return token('end', '');
    const line = this.#match(newline, at);
    if (line !== undefined) return token('newline', line);
    const name = this.#match(identifier, at);
    if (name !== undefined) return token('identifier', name);
    const digits = this.#match(number, at);
    if (digits !== undefined) return token('number', digits);
    if (this.source.text[at] === '"') return token('quote', '"');
    const heredoc = this.#match(heredocStart, at);
    if (heredoc !== undefined) return token('heredoc', heredoc);
    const sign = punctuation.find((each) => this.source.text.startsWith(each, at));
    if (sign !== undefined) return token(sign, sign);
    return token('invalid', String.fromCodePoint(this.source.text.codePointAt(at) ?? 0));
  }
}

/** Signs that other languages use, and what HCL has instead. */
export function invalidToken(lexer: Lexer, token: Token): Error {
  const range = lexer.range(token);
  const quoted = JSON.stringify(token.text);
  if (token.text === '`') {
    return hclError(
      'Invalid character',
      'The "`" character is not valid. To create a multi-line string, use the "heredoc" syntax, like "<<EOT".',
      range,
    );
  }
  if (token.text === "'") {
    return hclError(
      'Invalid character',
      'Single quotes are not valid. Use double quotes (") to enclose strings.',
      range,
    );
  }
  if (token.text === ';') {
    return hclError(
      'Invalid character',
      'The ";" character is not valid. Use newlines to separate arguments and blocks, and commas to separate items in collection values.',
      range,
    );
  }
  if (token.text === '&' || token.text === '|' || token.text === '^' || token.text === '~') {
    const meant = { '&': ' Did you mean boolean AND ("&&")?', '|': ' Did you mean boolean OR ("||")?' };
    const hint = token.text === '&' || token.text === '|' ? meant[token.text] : '';
    return hclError('Unsupported operator', `Bitwise operators are not supported.${hint}`, range);
  }
  return hclError('Invalid character', `This character (${quoted}) is not used within the language.`, range);
}
