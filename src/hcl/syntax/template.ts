import { HclError, hclError } from '../diagnostic.ts';
import type { Expression } from './expression.ts';
import type { Lexer } from './lexer.ts';
import type { Range } from './source.ts';
import { countCharacters, describeRange, splitCharacters } from './source.ts';
import { stringValue } from '../values/value.ts';

/** A piece of a template, before control sequences are matched with their ends. */
type Part =
  | { kind: 'text'; text: string; readonly start: number; readonly end: number }
  | { readonly kind: 'value'; readonly expression: Expression }
  | { readonly kind: 'if'; readonly condition: Expression; readonly range: Range }
  | {
      readonly kind: 'for';
      readonly keyName: string | undefined;
      readonly valueName: string;
      readonly collection: Expression;
      readonly range: Range;
    }
  | { readonly kind: 'else'; readonly range: Range }
  | { readonly kind: 'endif'; readonly range: Range }
  | { readonly kind: 'endfor'; readonly range: Range };

export interface TemplateRules {
  /** Where the template ends; asked at each position outside of sequences. */
  ends(position: number): boolean;
  /** Whether backslashes escape, as between quotes. */
  readonly escapes: boolean;
  /** `<<-`: the indentation that all lines have is taken away. */
  readonly flush: boolean;
  /** Where the template starts, quote and marker included. */
  readonly start: number;
  expression(): Expression;
}

const startsWithSpace = /^\s+/u;
const endsWithSpace = /\s+$/u;

/** Reads a template up to where the rules say that it ends; the lexer then stands there. */
export function parseTemplate(lexer: Lexer, rules: TemplateRules): Expression {
  const from = lexer.position;
  const parts = readParts(lexer, rules);
  if (rules.flush) flush(parts);
  const range = { source: lexer.source, start: from, end: lexer.position };
  const endRange = { ...range, start: range.end, end: Math.min(range.end + 1, lexer.source.text.length) };
  const text = (at: number, value: string): Expression => ({
    kind: 'literal',
    value: stringValue(value),
    range: { ...range, start: at, end: at },
  });
  const nest = new Nesting(parts, range, endRange);
  const items = nest.items();
  nest.finish();
  const [only] = items;
  if (!only) return text(from, '');
  if (items.length === 1) {
    if (only.kind === 'literal' && parts[0]?.kind === 'text') return only;
    if (parts.length === 1) return { kind: 'template-wrap', inner: only, range };
  }
  return { kind: 'template', parts: items, range };
}

class Nesting {
  readonly #parts: readonly Part[];
  readonly #range: Range;
  readonly #endRange: Range;
  #at = 0;

  constructor(parts: readonly Part[], range: Range, endRange: Range) {
    this.#parts = parts;
    this.#range = range;
    this.#endRange = endRange;
  }

  /** Up to the next part that ends or divides a sequence. */
  items(): Expression[] {
    const items: Expression[] = [];
    for (;;) {
      const part = this.#parts[this.#at];
      if (!part || part.kind === 'else' || part.kind === 'endif' || part.kind === 'endfor') return items;
      this.#at += 1;
      if (part.kind === 'text') {
        const range = { ...this.#range, start: part.start, end: part.end };
        const before = items.at(-1);
        if (before?.kind === 'literal' && typeof before.value.data === 'string') {
          items[items.length - 1] = { ...before, value: stringValue(before.value.data + part.text) };
        } else items.push({ kind: 'literal', value: stringValue(part.text), range });
      } else if (part.kind === 'value') items.push(part.expression);
      else if (part.kind === 'if') items.push(this.#conditional(part));
      else items.push(this.#loop(part));
    }
  }

  finish(): void {
    const part = this.#parts[this.#at];
    if (!part || !('range' in part)) return;
    throw hclError(
      `Unexpected ${part.kind} directive`,
      part.kind === 'else'
        ? 'The else directive is only expected inside an if block.'
        : `The ${part.kind} directive has no matching ${part.kind.slice('end'.length)} directive.`,
      part.range,
    );
  }

  #block(items: readonly Expression[]): Expression {
    return { kind: 'template', parts: items, range: this.#range };
  }

  #conditional(start: Part & { kind: 'if' }): Expression {
    const yes = this.#block(this.items());
    let no = this.#block([]);
    let part = this.#parts[this.#at];
    if (part?.kind === 'else') {
      this.#at += 1;
      no = this.#block(this.items());
      part = this.#parts[this.#at];
      if (part?.kind === 'else') {
        throw hclError(
          'Unexpected else directive',
          'Already in the else clause for this if directive. The else clause started earlier.',
          part.range,
        );
      }
    }
    this.#close(part, 'endif', start.range, 'if');
    return { kind: 'conditional', condition: start.condition, yes, no, range: start.range };
  }

  #loop(start: Part & { kind: 'for' }): Expression {
    const value = this.#block(this.items());
    const part = this.#parts[this.#at];
    if (part?.kind === 'else') {
      throw hclError(
        'Unexpected else directive',
        'An else clause is not expected for a for directive.',
        part.range,
      );
    }
    this.#close(part, 'endfor', start.range, 'for');
    const { keyName, valueName, collection, range } = start;
    const tuple: Expression = {
      kind: 'for',
      keyName,
      valueName,
      collection,
      key: undefined,
      value,
      condition: undefined,
      groups: false,
      range,
    };
    return { kind: 'template-join', tuple, range };
  }

  #close(part: Part | undefined, wanted: 'endif' | 'endfor', start: Range, name: 'if' | 'for'): void {
    if (part?.kind === wanted) {
      this.#at += 1;
      return;
    }
    if (part && 'range' in part) {
      throw hclError(
        `Unexpected ${part.kind} directive`,
        `Expecting an ${wanted} directive for the ${name} started at ${describeRange(start)}.`,
        part.range,
      );
    }
    throw hclError(
      'Unexpected end of template',
      `The ${name} directive at ${describeRange(start)} is missing its corresponding ${wanted} directive.`,
      this.#endRange,
    );
  }
}

const sequence = /[$%]\{/y;
const escapedSequence = /(?:\$\$|%%)\{/y;

function startsAt(text: string, at: number, pattern: RegExp): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

function readParts(lexer: Lexer, rules: TemplateRules): Part[] {
  const parts: Part[] = [];
  const { text } = lexer.source;
  let trims = false;
  let piece = '';
  let pieceStart = lexer.position;
  const endPiece = (): void => {
    if (piece !== '') {
      parts.push({
        kind: 'text',
        text: trims ? piece.replace(startsWithSpace, '') : piece,
        start: pieceStart,
        end: lexer.position,
      });
      trims = false;
    }
    piece = '';
    pieceStart = lexer.position;
  };
  while (!rules.ends(lexer.position)) {
    const at = lexer.position;
    if (at >= lexer.limit || (rules.escapes && text[at] === '\n')) {
      throw unterminated(lexer, rules, at);
    }
    if (startsAt(text, at, escapedSequence)) {
      piece += text.slice(at + 1, at + 3);
      lexer.moveTo(at + 3);
      continue;
    }
    if (startsAt(text, at, sequence)) {
      endPiece();
      const before = parts.at(-1);
      const trimsBefore = text[at + 2] === '~';
      if (trimsBefore && before?.kind === 'text') before.text = before.text.replace(endsWithSpace, '');
      lexer.moveTo(at + (trimsBefore ? 3 : 2));
      const isValue = text[at] === '$';
      const read = (): Part =>
        isValue ? { kind: 'value', expression: rules.expression() } : readControl(lexer, rules, at);
      const part = lexer.within(true, read);
      trims = closeSequence(lexer, rules, at, isValue);
      parts.push('range' in part ? { ...part, range: { ...part.range, end: lexer.position } } : part);
      pieceStart = lexer.position;
      continue;
    }
    if (rules.escapes && text[at] === '\\') {
      piece += readEscape(lexer);
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    piece += character;
    lexer.moveTo(at + character.length);
    // Each line is a piece of its own: what a trim marker takes ends there, and indentation is counted there.
    if (character === '\n') endPiece();
  }
  endPiece();
  return parts;
}

const unterminated = (lexer: Lexer, rules: TemplateRules, at: number): HclError =>
  rules.escapes && lexer.source.text[at] === '\n'
    ? new HclError([
        {
          summary: 'Invalid multi-line string',
          detail:
            'Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \\n escape to represent a newline character or use the "heredoc" multi-line template syntax.',
          range: lexer.range({ start: at, end: at + 1 }),
        },
      ])
    : hclError(
        'Unterminated template string',
        'No closing marker was found for the string.',
        lexer.range({ start: at, end: at }),
      );

/** After the expression; says whether blanks that follow are trimmed. */
function closeSequence(lexer: Lexer, rules: TemplateRules, start: number, isValue: boolean): boolean {
  const { trimmed, token } = lexer.within(true, () => {
    let next = lexer.peek();
    const tilde = next.kind === 'invalid' && next.text === '~';
    if (tilde) {
      lexer.next();
      next = lexer.peek();
    }
    return { trimmed: tilde, token: next };
  });
  if (token.kind === '}') {
    lexer.moveTo(token.end);
    return trimmed;
  }
  const range = lexer.range(token);
  if (!isValue) {
    throw hclError(
      'Extra characters in template control sequence',
      'Expected a closing brace to end the sequence, but found extra characters.',
      range,
    );
  }
  const lineEnd = lexer.source.text.indexOf('\n', token.end);
  const rest = lexer.source.text.slice(token.end, lineEnd < 0 ? undefined : lineEnd);
  if (token.kind === 'quote' && rules.escapes && lineEnd >= 0 && !rest.includes('"')) {
    throw unterminated(lexer, rules, lineEnd);
  }
  if (token.kind === 'end' || token.kind === 'quote') {
    const where = token.kind === 'end' ? 'the file' : 'the quoted template';
    throw hclError(
      'Unclosed template interpolation sequence',
      `There is no closing brace for this interpolation sequence before the end of ${where}. This might be caused by incorrect nesting inside the given expression.`,
      lexer.range({ start: rules.start + 1, end: start + 2 }),
    );
  }
  throw hclError(
    'Extra characters after interpolation expression',
    token.kind === ':'
      ? 'Template interpolation doesn\'t expect a colon at this location. Did you intend this to be a literal sequence to be processed as part of another language? If so, you can escape it by starting with "$${" instead of just "${".'
      : 'Expected a closing brace to end the interpolation expression, but found extra characters.\n\nThis can happen when you include interpolation syntax for another language, such as shell scripting, but forget to escape the interpolation start token. If this is an embedded sequence for another language, escape it by starting with "$${" instead of just "${".',
    range,
  );
}

function readControl(lexer: Lexer, rules: TemplateRules, start: number): Part {
  const keyword = lexer.next();
  const range = lexer.range({ start, end: keyword.end });
  if (keyword.kind !== 'identifier') {
    throw hclError(
      'Invalid template directive',
      'A template directive keyword ("if", "for", etc) is expected at the beginning of a %{ sequence.',
      lexer.range(keyword),
    );
  }
  switch (keyword.text) {
    case 'if':
      return { kind: 'if', condition: rules.expression(), range };
    case 'else':
    case 'endif':
    case 'endfor':
      return { kind: keyword.text, range };
    case 'for': {
      const first = loopName(lexer, "For directive requires variable name after 'for'.");
      const second =
        lexer.take(',') && loopName(lexer, 'For directive requires value variable name after comma.');
      const word = lexer.next();
      if (word.text !== 'in') {
        throw hclError(
          "Invalid 'for' directive",
          "For directive requires 'in' keyword after names.",
          lexer.range(word),
        );
      }
      const names =
        second === undefined
          ? { keyName: undefined, valueName: first }
          : { keyName: first, valueName: second };
      return { kind: 'for', ...names, collection: rules.expression(), range };
    }
    default:
      throw hclError(
        'Invalid template control keyword',
        `${JSON.stringify(keyword.text)} is not a valid template control keyword.`,
        lexer.range(keyword),
      );
  }
}

function loopName(lexer: Lexer, problem: string): string {
  const token = lexer.next();
  if (token.kind !== 'identifier') throw hclError("Invalid 'for' directive", problem, lexer.range(token));
  return token.text;
}

const plainEscapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

function readEscape(lexer: Lexer): string {
  const at = lexer.position;
  const { text } = lexer.source;
  const selector = text[at + 1] ?? '';
  const plain = plainEscapes[selector];
  if (plain !== undefined) {
    lexer.moveTo(at + 2);
    return plain;
  }
  const fail = (detail: string): HclError =>
    hclError('Invalid escape sequence', detail, lexer.range({ start: at, end: at + 1 + selector.length }));
  if (selector !== 'u' && selector !== 'U') {
    throw fail(`The symbol ${JSON.stringify(selector)} is not a valid escape sequence selector.`);
  }
  const length = selector === 'u' ? 4 : 8;
  const digits = text.slice(at + 2, at + 2 + length);
  if (digits.length < length || !/^[\da-fA-F]+$/.test(digits)) {
    const count = selector === 'u' ? 'four' : 'eight';
    throw fail(`The \\${selector} escape sequence must be followed by ${count} hexadecimal digits.`);
  }
  const code = Number.parseInt(digits, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw fail(`Cannot encode character U+${code.toString(16).padStart(4, '0')} in UTF-8.`);
  }
  lexer.moveTo(at + 2 + length);
  return String.fromCodePoint(code);
}

/** Takes away as many blanks as the line with the fewest begins with. */
function flush(parts: readonly Part[]): void {
  let least = Infinity;
  let startsLine = true;
  const first: (Part & { kind: 'text' })[] = [];
  for (const part of parts) {
    if (startsLine) {
      startsLine = false;
      if (part.kind !== 'text') least = 0;
      else if (part.text.trim() !== '' || !part.text.endsWith('\n')) {
        first.push(part);
        least = Math.min(least, countCharacters(startsWithSpace.exec(part.text)?.[0] ?? ''));
      }
    }
    if (part.kind === 'text' && part.text.endsWith('\n')) startsLine = true;
  }
  for (const part of first) part.text = splitCharacters(part.text).slice(least).join('');
}
