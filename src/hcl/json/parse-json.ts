import { hclError } from '../diagnostic.ts';
import type { Range, Source } from '../syntax/source.ts';

/** A JSON value with its place. */
export type JsonNode =
  | { readonly kind: 'null' | 'true' | 'false'; readonly range: Range }
  | { readonly kind: 'number'; readonly text: string; readonly range: Range }
  | { readonly kind: 'string'; readonly text: string; readonly range: Range }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[]; readonly range: Range }
  | { readonly kind: 'object'; readonly properties: readonly JsonProperty[]; readonly range: Range };

export interface JsonProperty {
  readonly name: string;
  readonly nameRange: Range;
  readonly value: JsonNode;
}

const startHint = 'A JSON value must start with a brace, a bracket, a number, a string, or a keyword.';
const blanks = /[ \t\r\n]*/y;
const numberText = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const stringText = /"(?:[^"\\\n]|\\.)*"/y;
const word = /[\p{L}_]+/uy;
const deepest = 500;

/** Reads a document. Throws HclError with HCL's own messages. */
export function parseJson(source: Source): JsonNode {
  const reader = new JsonReader(source);
  const value = reader.value(0, 'Missing JSON value');
  reader.expectEnd();
  return value;
}

class JsonReader {
  readonly #source: Source;
  #at = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  #range(start: number, end = this.#at): Range {
    return { source: this.#source, start, end };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #peek(): string {
    this.#match(blanks);
    return this.#source.text[this.#at] ?? '';
  }

  expectEnd(): void {
    if (this.#peek() === '') return;
    throw hclError(
      'Extraneous data after value',
      'Extra characters appear after the JSON value.',
      this.#range(this.#at, this.#at + 1),
    );
  }

  value(depth: number, missing: string): JsonNode {
    const first = this.#peek();
    const start = this.#at;
    if (depth > deepest)
      throw hclError(
        'Invalid start of value',
        'The document is nested too deeply.',
        this.#range(start, start + 1),
      );
    if (first === '') throw hclError('Missing value', 'The JSON data ends prematurely.', this.#range(start));
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') {
      const { text, range } = this.#string();
      return { kind: 'string', text, range };
    }
    if (/[-\d.]/.test(first)) {
      const text = this.#match(numberText);
      if (text === undefined) {
        const bad = /^[-+\w.]+/.exec(this.#source.text.slice(start))?.[0].length ?? 1;
        throw hclError(
          'Invalid JSON number',
          'There is a syntax error in the given JSON number.',
          this.#range(start, start + bad),
        );
      }
      return { kind: 'number', text, range: this.#range(start) };
    }
    const name = this.#match(word);
    if (name === 'true' || name === 'false' || name === 'null')
      return { kind: name, range: this.#range(start) };
    if (name !== undefined) {
      throw hclError(
        'Invalid JSON keyword',
        `${JSON.stringify(name)} is not a valid JSON keyword.`,
        this.#range(start),
      );
    }
    throw hclError(
      first === ']' || first === '}' ? missing : 'Invalid start of value',
      startHint,
      this.#range(start, start + 1),
    );
  }

  #string(): { text: string; range: Range } {
    const start = this.#at;
    const raw = this.#match(stringText);
    try {
      if (raw !== undefined) return { text: JSON.parse(raw) as string, range: this.#range(start) };
    } catch {
      // Reported below.
    }
    throw hclError(
      'Invalid JSON string',
      'There is a syntax error in the given JSON string.',
      this.#range(start, start + 1),
    );
  }

  #object(depth: number): JsonNode {
    const start = this.#at;
    this.#at += 1;
    const properties: JsonProperty[] = [];
    while (this.#peek() !== '}') {
      if (this.#peek() !== '"') {
        throw hclError(
          this.#peek() === '' ? 'Unclosed object' : 'Invalid object property name',
          this.#peek() === ''
            ? 'No closing brace was found for this JSON object.'
            : 'A JSON object property name must be a string',
          this.#peek() === '' ? this.#range(start, start + 1) : this.#range(this.#at, this.#at + 1),
        );
      }
      const name = this.#string();
      if (this.#peek() !== ':') {
        const equals = this.#peek() === '=';
        throw hclError(
          'Missing property value colon',
          equals
            ? 'JSON uses a colon as its name/value delimiter, not an equals sign.'
            : "A colon must appear between an object property's name and its value.",
          this.#range(this.#at, this.#at + 1),
        );
      }
      this.#at += 1;
      const value = this.value(depth + 1, 'Missing JSON value');
      properties.push({ name: name.text, nameRange: name.range, value });
      this.#separator(start, '}', ['object', 'property', 'property definition in an object', 'brace']);
    }
    this.#at += 1;
    return { kind: 'object', properties, range: this.#range(start) };
  }

  #array(depth: number): JsonNode {
    const start = this.#at;
    this.#at += 1;
    const items: JsonNode[] = [];
    while (this.#peek() !== ']') {
      items.push(this.value(depth + 1, 'Missing array element value'));
      this.#separator(start, ']', ['array', 'value', 'value in an array', 'bracket']);
    }
    this.#at += 1;
    return { kind: 'array', items, range: this.#range(start) };
  }

  /** A comma, or what closes. */
  #separator(
    start: number,
    close: '}' | ']',
    [whole, item, each, sign]: readonly [string, string, string, string],
  ): void {
    const next = this.#peek();
    const here = this.#range(this.#at, this.#at + 1);
    if (next === close) return;
    if (next === '') {
      throw hclError(
        'Unclosed object',
        `No closing ${sign} was found for this JSON ${whole}.`,
        this.#range(start, start + 1),
      );
    }
    if (next !== ',') {
      throw hclError('Missing attribute seperator comma', `A comma must appear between each ${each}.`, here);
    }
    this.#at += 1;
    if (this.#peek() === close) {
      throw hclError(
        `Trailing comma in ${whole}`,
        `JSON does not permit a trailing comma after the final ${item} in an ${whole}.`,
        here,
      );
    }
  }
}
