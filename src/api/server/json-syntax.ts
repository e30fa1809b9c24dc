/**
 * What Go says about text that is no JSON value, undefined for text that is one. Only run on text that
 * JSON.parse() refused, to tell the client where and why in the words its other engine uses.
 */
export function describeSyntaxError(text: string): string | undefined {
  const scanner = new Scanner(text);
  try {
    scanner.value();
    scanner.space();
    return scanner.at < text.length ? 'unexpected content after JSON' : undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message;
    throw error;
  }
}

class JsonSyntaxError extends Error {}

class Scanner {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  space(): void {
    while (/[ \t\r\n]/.test(this.#text.charAt(this.at))) this.at += 1;
  }

  value(): void {
    this.space();
    const char = this.#text.charAt(this.at);
    if (char === '{') this.#object();
    else if (char === '[') this.#array();
    else if (char === '"') this.#string();
    else if (/[-0-9]/.test(char)) this.#number();
    else if (char === 't') this.#literal('true');
    else if (char === 'f') this.#literal('false');
    else if (char === 'n') this.#literal('null');
    else this.#fail('looking for beginning of value');
  }

  #object(): void {
    this.at += 1;
    this.space();
    if (this.#take('}')) return;
    for (;;) {
      this.space();
      if (this.#text.charAt(this.at) !== '"') this.#fail('looking for beginning of object key string');
      this.#string();
      this.space();
      if (!this.#take(':')) this.#fail('after object key');
      this.value();
      this.space();
      if (this.#take('}')) return;
      if (!this.#take(',')) this.#fail('after object key:value pair');
    }
  }

  #array(): void {
    this.at += 1;
    this.space();
    if (this.#take(']')) return;
    for (;;) {
      this.value();
      this.space();
      if (this.#take(']')) return;
      if (!this.#take(',')) this.#fail('after array element');
    }
  }

  #string(): void {
    this.at += 1;
    for (;;) {
      const char = this.#text.charAt(this.at);
      if (char === '' || char < ' ') this.#fail('in string literal');
      if (char === '\\') this.#escape();
      else this.at += 1;
      if (char === '"') return;
    }
  }

  #escape(): void {
    const match = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(this.#text.slice(this.at, this.at + 6));
    if (!match) {
      if (/^\\(?:u[0-9a-fA-F]{0,3})?$/.test(this.#text.slice(this.at))) this.#end();
      throw new JsonSyntaxError(
        `invalid escape sequence \`${this.#text.slice(this.at, this.at + 2)}\` in string`,
      );
    }
    this.at += match[0].length;
  }

  #number(): void {
    const match = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(this.#text.slice(this.at));
    if (!match) {
      this.at += 1;
      this.#fail('in numeric literal');
    }
    this.at += match[0].length;
  }

  #literal(word: string): void {
    for (const expected of word) {
      if (this.#text.charAt(this.at) !== expected) this.#fail(`in literal ${word}`);
      this.at += 1;
    }
  }

  #take(char: string): boolean {
    if (this.#text.charAt(this.at) !== char) return false;
    this.at += 1;
    return true;
  }

  #end(): never {
    throw new JsonSyntaxError('unexpected EOF');
  }

  #fail(place: string): never {
    if (this.at >= this.#text.length) this.#end();
    const char = String.fromCodePoint(this.#text.codePointAt(this.at) ?? 0);
    const quoted = char === "'" ? `'\\''` : `'${JSON.stringify(char).slice(1, -1)}'`;
    throw new JsonSyntaxError(`invalid character ${quoted} ${place}`);
  }
}
