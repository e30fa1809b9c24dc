/** A template that cannot be read or executed; `message` is Go's, without any prefix of Docker's. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export type TokenKind = 'field' | 'variable' | 'word' | 'number' | 'string' | 'punctuation' | 'space' | 'dot';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Offset in the template. */
  readonly at: number;
}

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number };

/** Where an offset stands, as Go counts: line from 1 and byte column from 0. */
export function position(source: string, at: number): string {
  const before = source.slice(0, at);
  const line = before.split('\n').length;
  return `${line}:${Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1))}`;
}

export const lineOf = (source: string, at: number): number => source.slice(0, at).split('\n').length;

/** Cuts a template into text and actions; trim markers are applied, comments are dropped. */
export function cut(source: string, name = ''): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    let text = source.slice(at, open < 0 ? undefined : open);
    if (trimNext) text = text.trimStart();
    const trimBefore = open >= 0 && source[open + 2] === '-' && isSpace(source[open + 3]);
    if (trimBefore) text = text.trimEnd();
    if (text !== '') pieces.push({ kind: 'text', text });
    if (open < 0) break;
    const action = cutAction(source, open + (trimBefore ? 3 : 2), name);
    if (action.tokens) pieces.push({ kind: 'action', tokens: action.tokens, at: open + 2 });
    trimNext = action.trimAfter;
    at = action.end;
  }
  return pieces;
}

interface Action {
  readonly tokens?: readonly Token[];
  readonly trimAfter: boolean;
  readonly end: number;
}

function cutAction(source: string, start: number, name: string): Action {
  const comment = source.startsWith('/*', skipSpace(source, start)) ? cutComment(source, start) : undefined;
  if (comment) return comment;
  const tokens: Token[] = [];
  for (let at = start; ;) {
    if (source.startsWith('}}', at)) return { tokens, trimAfter: false, end: at + 2 };
    if (isSpace(source[at]) && source.startsWith('-}}', at + 1))
      return { tokens, trimAfter: true, end: at + 4 };
    const token = readToken(source, at, name);
    tokens.push(token);
    at += token.text.length;
  }
}

function cutComment(source: string, start: number): Action | undefined {
  const close = source.indexOf('*/', start);
  if (close < 0) return undefined;
  if (source.startsWith('}}', close + 2)) return { trimAfter: false, end: close + 4 };
  return isSpace(source[close + 2]) && source.startsWith('-}}', close + 3)
    ? { trimAfter: true, end: close + 6 }
    : undefined;
}

// The scanner works by hand: a regular expression for all tokens takes a millisecond to compile.

const isSpace = (char: string | undefined): boolean =>
  char === ' ' || char === '\t' || char === '\n' || char === '\r';

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9';

/** What begins a name; letters beyond ASCII are taken as they come. */
const isLetter = (char: string | undefined): boolean =>
  char !== undefined &&
  ((char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z') || char === '_' || char >= '\u00aa');

function skip(source: string, at: number, test: (char: string | undefined) => boolean): number {
  let end = at;
  while (end < source.length && test(source[end])) end += 1;
  return end;
}

const skipSpace = (source: string, at: number): number => skip(source, at, isSpace);
const skipName = (source: string, at: number): number =>
  skip(source, at, (char) => isLetter(char) || isDigit(char));

function readToken(source: string, at: number, name: string): Token {
  const found = scan(source, at);
  if (!found) throw unreadable(source, at, name);
  return { kind: found.kind, text: source.slice(at, found.end), at };
}

interface Scanned {
  readonly kind: TokenKind;
  readonly end: number;
}

function scan(source: string, at: number): Scanned | undefined {
  const char = source[at];
  if (isSpace(char)) return { kind: 'space', end: skipSpace(source, at) };
  if (char === '"' || char === '`' || char === "'") return scanQuoted(source, at, char);
  return scanName(source, at) ?? scanNumber(source, at) ?? scanMark(source, at);
}

function scanName(source: string, at: number): Scanned | undefined {
  if (isLetter(source[at])) return { kind: 'word', end: skipName(source, at) };
  if (source[at] === '$') return { kind: 'variable', end: skipName(source, at + 1) };
  if (source[at] !== '.') return undefined;
  if (isLetter(source[at + 1])) return { kind: 'field', end: skipName(source, at + 1) };
  return isDigit(source[at + 1]) ? undefined : { kind: 'dot', end: at + 1 };
}

function scanMark(source: string, at: number): Scanned | undefined {
  if (source.startsWith(':=', at)) return { kind: 'punctuation', end: at + 2 };
  const char = source[at];
  return char !== undefined && '=|(),'.includes(char) ? { kind: 'punctuation', end: at + 1 } : undefined;
}

function scanQuoted(source: string, at: number, quote: string): Scanned | undefined {
  for (let end = at + 1; end < source.length; end += 1) {
    const char = source[end];
    if (char === quote) return { kind: quote === "'" ? 'number' : 'string', end: end + 1 };
    if (quote === '`') continue;
    if (char === '\n') return undefined;
    if (char === '\\') end += 1;
  }
  return undefined;
}

function scanNumber(source: string, at: number): Scanned | undefined {
  const char = source[at];
  if (!isDigit(char) && char !== '.' && char !== '-' && char !== '+') return undefined;
  const number =
    /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
  number.lastIndex = at;
  return number.test(source) ? { kind: 'number', end: number.lastIndex } : undefined;
}

function unreadable(source: string, at: number, name: string): TemplateError {
  const line = `${name}:${lineOf(source, at)}`;
  const char = source.slice(at, at + 1);
  if (char === '') return new TemplateError(`template: ${line}: unclosed action`);
  if (char === '"') return new TemplateError(`template: ${line}: unterminated quoted string`);
  if (char === '`') return new TemplateError(`template: ${line}: unterminated raw quoted string`);
  if (char === '}') return new TemplateError(`template: ${line}: unexpected "}" in operand`);
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return new TemplateError(`template: ${line}: unrecognized character in action: U+${code} '${char}'`);
}
