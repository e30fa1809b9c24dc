import { quoted } from './go-text.ts';
import { DockerfileError } from './location.ts';
import type { Variables } from './variables.ts';
import { isSpace } from '#kernel';
import { replaced, withoutPrefix, withoutSuffix } from './wildcard.ts';

export interface ExpansionOptions {
  /** Quotes stay in the text. */
  readonly rawQuotes?: boolean;
  /** Escape characters stay in the text. */
  readonly rawEscapes?: boolean;
  /** Quotes are characters like others. */
  readonly plainQuotes?: boolean;
  /** `$name` stays as it is where there is no such variable. */
  readonly keepUnset?: boolean;
}

export interface Expansion {
  readonly text: string;
  /** Split at white space that is not quoted. */
  readonly words: readonly string[];
  readonly matched: ReadonlySet<string>;
  readonly unmatched: ReadonlySet<string>;
}

/** A word that cannot be expanded, with the names that were missed before that was found. */
export class ExpansionError extends DockerfileError {
  readonly unmatched: ReadonlySet<string>;

  constructor(message: string, unmatched: ReadonlySet<string>) {
    super(message);
    this.unmatched = unmatched;
  }
}

/** Values that double with each line must not fill the memory. */
const longestText = 8 * 1024 * 1024;
const deepest = 200;

/**
 * The words and variables of the Dockerfile language: quotes, escapes and the forms of `${}` that it shares with the
 * shell. One escape character per file.
 */
export class WordExpander {
  readonly #escape: string;
  readonly #options: ExpansionOptions;

  constructor(escape: string, options: ExpansionOptions = {}) {
    this.#escape = escape;
    this.#options = options;
  }

  /** Throws ExpansionError where the text is no well-formed word. */
  expand(source: string, variables: Variables): Expansion {
    const reader = new WordReader(source, this.#escape, this.#options, variables);
    try {
      const { text, words } = reader.read(undefined, this.#options.rawEscapes === true);
      return { text, words, matched: reader.matched, unmatched: reader.unmatched };
    } catch (error) {
      if (!(error instanceof DockerfileError)) throw error;
      throw new ExpansionError(`failed to process ${quoted(source)}: ${error.message}`, reader.unmatched);
    }
  }
}

const wordCharacter = /^[\p{L}\p{Nd}_]$/u;
const digit = /^\p{Nd}$/u;
const special = '@*#?-$!0';

/** Words grow by characters and by pieces that are never split. */
class Words {
  readonly #done: string[] = [];
  #current = '';

  character(character: string): void {
    if (!isSpace(character)) this.#current += character;
    else if (this.#current !== '') this.#finish();
  }

  piece(text: string): void {
    this.#current += text;
  }

  #finish(): void {
    this.#done.push(this.#current);
    this.#current = '';
  }

  all(): string[] {
    if (this.#current !== '') this.#finish();
    return this.#done;
  }
}

class WordReader {
  readonly matched = new Set<string>();
  readonly unmatched = new Set<string>();
  readonly #characters: readonly string[];
  readonly #escape: string;
  readonly #options: ExpansionOptions;
  readonly #variables: Variables;
  #at = 0;
  #depth = 0;
  #rawEscapes = false;

  constructor(source: string, escape: string, options: ExpansionOptions, variables: Variables) {
    this.#characters = Array.from(source);
    this.#escape = escape;
    this.#options = options;
    this.#variables = variables;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(): string | undefined {
    return this.#characters[this.#at++];
  }

  /** Up to `stop`, which is taken; up to the end where it is undefined. */
  read(stop: string | undefined, rawEscapes: boolean): { text: string; words: string[] } {
    const outer = this.#rawEscapes;
    this.#rawEscapes = rawEscapes;
    if (++this.#depth > deepest) throw new DockerfileError('substitutions are nested too deeply');
    let text = '';
    const words = new Words();
    try {
      for (;;) {
        const character = this.#peek();
        if (character === undefined || character === stop) break;
        const piece = this.#piece(character);
        text += piece.text;
        if (text.length > longestText) throw new DockerfileError('the expanded text is too long');
        if (piece.whole) words.piece(piece.text);
        else for (const each of piece.text) words.character(each);
      }
      if (stop !== undefined && this.#take() === undefined) {
        throw new DockerfileError(`unexpected end of statement while looking for matching ${stop}`);
      }
      return { text, words: words.all() };
    } finally {
      this.#depth--;
      this.#rawEscapes = outer;
    }
  }

  /** The next thing that stands together; what is `whole` is not split into words. */
  #piece(character: string): { text: string; whole: boolean } {
    if (character === '$') return { text: this.#dollar(), whole: false };
    if (character === '<') return { text: this.#arrows(), whole: true };
    if (this.#options.plainQuotes !== true) {
      if (character === "'") return { text: this.#singleQuoted(), whole: true };
      if (character === '"') return { text: this.#doubleQuoted(), whole: true };
    }
    this.#at++;
    if (character !== this.#escape) return { text: character, whole: false };
    const kept = this.#rawEscapes ? character : '';
    return { text: kept + (this.#take() ?? ''), whole: true };
  }

  #singleQuoted(): string {
    const start = ++this.#at;
    while (this.#peek() !== "'") {
      if (this.#peek() === undefined) {
        throw new DockerfileError('unexpected end of statement while looking for matching single-quote');
      }
      this.#at++;
    }
    const text = this.#characters.slice(start, this.#at++).join('');
    return this.#options.rawQuotes === true ? `'${text}'` : text;
  }

  #doubleQuoted(): string {
    this.#at++;
    const quote = this.#options.rawQuotes === true ? '"' : '';
    let text = quote;
    for (;;) {
      const character = this.#peek();
      if (character === undefined) {
        throw new DockerfileError('unexpected end of statement while looking for matching double-quote');
      }
      if (character === '$') {
        text += this.#dollar();
        continue;
      }
      this.#at++;
      if (character === '"') return text + quote;
      text += character === this.#escape ? this.#escapedInQuotes() : character;
    }
  }

  /** Within double quotes only these characters can be escaped; elsewhere the escape character stays. */
  #escapedInQuotes(): string {
    const kept = this.#rawEscapes ? this.#escape : '';
    const next = this.#peek();
    if (next === undefined) return kept;
    if (next !== '"' && next !== '$' && next !== this.#escape) return kept + this.#escape;
    this.#at++;
    return kept + next;
  }

  /** `<<` and the blanks after it belong to the word that names a heredoc. */
  #arrows(): string {
    this.#at++;
    if (this.#peek() !== '<') return '<';
    this.#at++;
    let blank = '';
    while (this.#peek() === ' ' || this.#peek() === '\t' || this.#peek() === '\r')
      blank += this.#take() ?? '';
    return `<<${blank}`;
  }

  #name(): string {
    const first = this.#peek();
    if (first === undefined) return '';
    const start = this.#at;
    if (special.includes(first) && !digit.test(first)) this.#at++;
    else this.#skip(digit.test(first) ? digit : wordCharacter);
    return this.#characters.slice(start, this.#at).join('');
  }

  #skip(kind: RegExp): void {
    for (let next = this.#peek(); next !== undefined && kind.test(next); next = this.#peek()) this.#at++;
  }

  #value(name: string): string | undefined {
    const value = this.#variables.get(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    return value;
  }

  #dollar(): string {
    this.#at++;
    if (this.#peek() === '{') {
      this.#at++;
      return this.#braces();
    }
    const name = this.#name();
    if (name === '') return '$';
    return this.#value(name) ?? (this.#options.keepUnset === true ? `$${name}` : '');
  }

  #braces(): string {
    const first = this.#peek();
    if (first === undefined) throw new DockerfileError("syntax error: missing '}'");
    if (first === '{' || first === '}' || first === ':') {
      throw new DockerfileError('syntax error: bad substitution');
    }
    const name = this.#name();
    const operator = this.#take();
    if (operator === '}') {
      return this.#value(name) ?? (this.#options.keepUnset === true ? `\${${name}}` : '');
    }
    if (operator === '/') return this.#replacement(name);
    if (operator !== ':') return this.#modified(name, operator, operator ?? '\ufffd', false);
    const second = this.#take();
    return this.#modified(name, second, `:${second ?? '\ufffd'}`, true);
  }

  #modified(name: string, operator: string | undefined, shown: string, emptyIsUnset: boolean): string {
    const trims = operator === '#' || operator === '%';
    const known = operator === '+' || operator === '-' || operator === '?' ? operator : undefined;
    // With a colon an unknown operator is only refused after what follows has been read.
    if (trims ? emptyIsUnset : known === undefined && !emptyIsUnset) throw unsupported(shown);
    const word = this.#until('}');
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}${shown}${word}}`;
    if (operator === '#' || operator === '%') return trimmed(value ?? '', word, operator);
    if (known === undefined) throw unsupported(shown);
    return substituted(name, value, known, word, emptyIsUnset);
  }

  /** What stands before the closing character; trims and replacements keep escapes for their patterns. */
  #until(stop: string, missing = "'}'"): string {
    const previous = this.#characters[this.#at - 1];
    const raw = previous === '#' || previous === '%' || previous === '/';
    try {
      return this.read(stop, raw).text;
    } catch (error) {
      if (this.#peek() !== undefined || !(error instanceof DockerfileError)) throw error;
      throw new DockerfileError(`syntax error: missing ${missing}`);
    }
  }

  #replacement(name: string): string {
    const all = this.#peek() === '/';
    if (all) this.#at++;
    const pattern = this.#until('/', "'/' in ${}");
    const replacement = this.#until('}');
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset === true) {
      return `\${${name}/${pattern}/${replacement}}`;
    }
    return replaced(value ?? '', pattern, replacement, all);
  }
}

const unsupported = (modifier: string): DockerfileError =>
  new DockerfileError(`unsupported modifier (${modifier}) in substitution`);

/** `${name#word}` and its like; the operator doubled asks for the longest match. */
function trimmed(value: string, word: string, operator: '#' | '%'): string {
  const greedy = word.startsWith(operator);
  const pattern = greedy ? word.slice(1) : word;
  return (operator === '#' ? withoutPrefix : withoutSuffix)(value, pattern, greedy);
}

/** `${name-word}`, `${name+word}`, `${name?word}`; with a colon empty is as good as unset. */
function substituted(
  name: string,
  value: string | undefined,
  operator: string,
  word: string,
  emptyIsUnset: boolean,
): string {
  const isMissing = value === undefined || (emptyIsUnset && value === '');
  if (operator === '-') return isMissing ? word : value;
  if (operator === '+') return isMissing ? '' : word;
  if (!isMissing) return value;
  const lack = value === undefined ? 'unset' : 'empty';
  throw new DockerfileError(`${name}: ${word || `is not allowed to be ${lack}`}`);
}
