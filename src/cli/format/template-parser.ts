import type { Command, Node, Operand, Pipe } from './template-nodes.ts';
import type { Piece, Token } from './template-tokens.ts';
import { TemplateError, cut, lineOf } from './template-tokens.ts';

/** Reads a Go template. `functions` are the names that may be called. Throws TemplateError with Go's text. */
export function parseTemplate(source: string, functions: ReadonlySet<string>, name = ''): readonly Node[] {
  return new Parser(source, functions, name).parse();
}

const blocks = new Set(['if', 'with', 'range']);

class Parser {
  readonly #source: string;
  readonly #name: string;
  readonly #functions: ReadonlySet<string>;
  readonly #pieces: readonly Piece[];
  #next = 0;
  #tokens: readonly Token[] = [];
  #at = 0;
  /** Offset of the action that is being read. */
  #action = 0;
  #variables: string[] = ['$'];

  constructor(source: string, functions: ReadonlySet<string>, name: string) {
    this.#source = source;
    this.#name = name;
    this.#functions = functions;
    this.#pieces = cut(source, name);
  }

  parse(): readonly Node[] {
    const { nodes, end } = this.#list();
    if (end !== 'eof') throw this.#error(`unexpected {{${end}}}`);
    return nodes;
  }

  #error(message: string): TemplateError {
    const at = this.#tokens[Math.min(this.#at, this.#tokens.length - 1)]?.at ?? this.#action;
    return new TemplateError(`template: ${this.#name}:${lineOf(this.#source, at)}: ${message}`);
  }

  #list(): { nodes: readonly Node[]; end: 'eof' | 'end' | 'else' } {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#next++];
      if (!piece) return { nodes, end: 'eof' };
      if (piece.kind === 'text') {
        nodes.push(piece);
        continue;
      }
      this.#tokens = piece.tokens;
      this.#action = piece.at;
      this.#at = 0;
      this.#skipSpace();
      const word = this.#peek()?.kind === 'word' ? (this.#peek()?.text ?? '') : '';
      if (word === 'end' || word === 'else') {
        this.#at += 1;
        return { nodes, end: word };
      }
      nodes.push(this.#statement(word));
    }
  }

  #statement(word: string): Node {
    if (blocks.has(word)) {
      this.#at += 1;
      // `blocks` holds exactly these words.
      return this.#block(word as 'if' | 'with' | 'range');
    }
    if (word === 'break' || word === 'continue') {
      this.#at += 1;
      return { kind: word };
    }
    return { kind: 'action', pipe: this.#pipe('command', undefined) };
  }

  #block(kind: 'if' | 'with' | 'range'): Node {
    const depth = this.#variables.length;
    const pipe = this.#pipe(kind, undefined);
    const { nodes: body, end } = this.#list();
    let otherwise: readonly Node[] = [];
    if (end === 'eof') throw this.#error('unexpected EOF');
    if (end === 'else') {
      this.#skipSpace();
      const word = this.#peek()?.text;
      if (word === kind && kind !== 'range') {
        this.#at += 1;
        otherwise = [this.#block(kind)];
      } else {
        const rest = this.#list();
        if (rest.end === 'eof') throw this.#error('unexpected EOF');
        if (rest.end !== 'end') throw this.#error('expected end; found {{else}}');
        otherwise = rest.nodes;
      }
    }
    this.#variables.length = depth;
    return { kind, pipe, body, otherwise };
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #skipSpace(): void {
    while (this.#peek()?.kind === 'space') this.#at += 1;
  }

  #isPunctuation(text: string): boolean {
    const token = this.#peek();
    return token?.kind === 'punctuation' && token.text === text;
  }

  /** Reads up to the action's end, or up to `close`, which is left in place. */
  #pipe(context: string, close: ')' | undefined): Pipe {
    this.#skipSpace();
    const { variables, assigns } = this.#declaration(context);
    const commands: Command[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#peek();
      if (!token || (close !== undefined && this.#isPunctuation(close))) break;
      if (this.#isPunctuation(')')) throw this.#error("unexpected right paren U+0029 ')'");
      commands.push(this.#command());
      if (this.#isPunctuation('|')) {
        this.#at += 1;
      }
    }
    if (commands.length === 0) throw this.#error(`missing value for ${context}`);
    return { variables, assigns, commands };
  }

  #declaration(context: string): { variables: readonly string[]; assigns: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    while (this.#peek()?.kind === 'variable') {
      variables.push(this.#peek()?.text ?? '');
      this.#at += 1;
      this.#skipSpace();
      if (this.#isPunctuation(':=') || this.#isPunctuation('=')) {
        const assigns = this.#isPunctuation('=');
        this.#at += 1;
        if (!assigns) this.#variables.push(...variables);
        return { variables, assigns };
      }
      if (context !== 'range' || !this.#isPunctuation(',')) break;
      this.#at += 1;
      this.#skipSpace();
    }
    this.#at = start;
    return { variables: [], assigns: false };
  }

  #command(): Command {
    const operands: Operand[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#peek();
      if (!token || (token.kind === 'punctuation' && token.text !== '(')) break;
      operands.push(this.#operand());
      const after = this.#peek();
      if (after && after.kind !== 'space' && !(after.kind === 'punctuation' && '|)'.includes(after.text))) {
        throw this.#error(`unexpected ${describe(after)} in operand`);
      }
    }
    const [first, ...rest] = operands;
    if (!first) throw this.#error(`unexpected ${describe(this.#peek())} in command`);
    return { operands: [first, ...rest] };
  }

  #operand(): Operand {
    const token = this.#peek();
    if (!token) throw this.#error('missing operand');
    this.#at += 1;
    const { at, text } = token;
    switch (token.kind) {
      case 'dot':
        return { kind: 'dot', at, text };
      case 'number':
      case 'string':
        return { kind: 'literal', value: literal(token), at, text };
      case 'field': {
        const second = this.#fieldAt() ?? at;
        const names = [text.slice(1), ...this.#fields()];
        return { kind: 'field', names, at: second, text: `.${names.join('.')}` };
      }
      case 'variable': {
        if (!this.#variables.includes(text)) throw this.#error(`undefined variable ${JSON.stringify(text)}`);
        const second = this.#fieldAt() ?? at;
        const names = this.#fields();
        return { kind: 'variable', name: text, names, at: second, text: [text, ...names].join('.') };
      }
      case 'word':
        return this.#word(token);
      case 'punctuation':
        if (text === '(') return this.#parenthesis(at);
        break;
      case 'space':
    }
    throw this.#error(`unexpected ${describe(token)} in operand`);
  }

  #word({ text, at }: Token): Operand {
    if (text === 'nil') return { kind: 'nil', at, text };
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', at, text };
    if (!this.#functions.has(text)) throw this.#error(`function ${JSON.stringify(text)} not defined`);
    return { kind: 'function', name: text, at, text };
  }

  #parenthesis(at: number): Operand {
    const pipe = this.#pipe('parenthesized pipeline', ')');
    const close = this.#peek();
    if (!close) throw this.#error('unclosed left paren');
    this.#at += 1;
    const names = this.#fields();
    return { kind: 'pipe', pipe, names, at, text: this.#source.slice(at, close.at + 1) };
  }

  /** Where the next link of a chain begins: Go names that place in errors. */
  #fieldAt(): number | undefined {
    const token = this.#peek();
    return token?.kind === 'field' ? token.at : undefined;
  }

  /** The names of a chain: `.A.B` behind a variable, a field or a parenthesis. */
  #fields(): string[] {
    const names: string[] = [];
    while (this.#peek()?.kind === 'field') {
      names.push(this.#peek()?.text.slice(1) ?? '');
      this.#at += 1;
    }
    return names;
  }
}

const describe = (token: Token | undefined): string => (token ? `<${token.text}>` : '"}}"');

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
};

function literal(token: Token): unknown {
  const { text } = token;
  if (text.startsWith('`')) return text.slice(1, -1);
  if (text.startsWith('"')) return unescape(text.slice(1, -1));
  if (text.startsWith("'")) return unescape(text.slice(1, -1)).codePointAt(0) ?? 0;
  const plain = text.replaceAll('_', '');
  return plain.startsWith('-') ? -Number(plain.slice(1)) : Number(plain.replace(/^\+/, ''));
}

function unescape(text: string): string {
  return text.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))/gu,
    (...match) => {
      const [, hex, short, long, octal, char] = match as (string | undefined)[];
      const code = hex ?? short ?? long;
      if (code !== undefined) return String.fromCodePoint(parseInt(code, 16));
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
      return escapes[char ?? ''] ?? char ?? '';
    },
  );
}
