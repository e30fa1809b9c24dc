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

const tokenPattern =
  /(?<space>[ \t\r\n]+)|(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<char>'(?:[^'\\\n]|\\.)+')|(?<number>[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))|(?<field>\.[\p{L}_][\p{L}\p{N}_]*)|(?<dot>\.)|(?<variable>\$[\p{L}\p{N}_]*)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<punctuation>:=|[=|(),])/uy;

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
    const trimBefore = open >= 0 && /^\{\{-[ \t\r\n]/.test(source.slice(open, open + 4));
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
  const comment = /^\s*\/\*[^]*?\*\/(\s-)?\}\}/.exec(source.slice(start));
  if (comment) return { trimAfter: comment[1] !== undefined, end: start + comment[0].length };
  const tokens: Token[] = [];
  for (let at = start; ;) {
    const end = /^(\s-)?\}\}/.exec(source.slice(at, at + 4));
    if (end) return { tokens, trimAfter: end[1] !== undefined, end: at + end[0].length };
    const token = readToken(source, at, name);
    tokens.push(token);
    at += token.text.length;
  }
}

function readToken(source: string, at: number, name: string): Token {
  tokenPattern.lastIndex = at;
  const groups = tokenPattern.exec(source)?.groups;
  if (!groups) throw unreadable(source, at, name);
  const [kind = '', text = ''] =
    Object.entries(groups).find(([, value]) => (value as string | undefined) !== undefined) ?? [];
  // The groups of the pattern are the token kinds, and `char`, a number literal.
  return { kind: kind === 'char' ? 'number' : (kind as TokenKind), text, at };
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
