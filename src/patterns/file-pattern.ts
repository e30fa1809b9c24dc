import { invalidArgument } from '#kernel';

type Token =
  | { readonly kind: 'literal'; readonly character: string }
  /** `?`, `*`: not across a slash. */
  | { readonly kind: 'one' | 'many' }
  /** A stretch that ends in a slash, or nothing: what `**` between other things stands for. */
  | { readonly kind: 'folders' }
  /** Anything: what `**` at the end stands for. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'class'; readonly accepts: (character: string) => boolean };

const badPattern = (): Error => invalidArgument('syntax error in pattern');

/** One character of a class, which may be escaped; what follows must still be of the class. */
function classCharacter(characters: readonly string[], at: number): { value: string; next: number } {
  const first = characters[at];
  if (first === undefined || first === '-' || first === ']') throw badPattern();
  const index = first === '\\' ? at + 1 : at;
  const value = characters[index];
  if (value === undefined || characters[index + 1] === undefined) throw badPattern();
  return { value, next: index + 1 };
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;

/** `[a-z]`, `[^abc]`, from behind the bracket on. */
function readClass(characters: readonly string[], start: number): { token: Token; next: number } {
  const negated = characters[start] === '^';
  const ranges: [number, number][] = [];
  let at = negated ? start + 1 : start;
  while (ranges.length === 0 || characters[at] !== ']') {
    const low = classCharacter(characters, at);
    at = low.next;
    if (characters[at] !== '-') ranges.push([codeOf(low.value), codeOf(low.value)]);
    else {
      const high = classCharacter(characters, at + 1);
      if (codeOf(high.value) < codeOf(low.value)) throw badPattern();
      ranges.push([codeOf(low.value), codeOf(high.value)]);
      at = high.next;
    }
  }
  const accepts = (character: string): boolean => {
    const code = codeOf(character);
    return ranges.some(([low, high]) => code >= low && code <= high) !== negated;
  };
  return { token: { kind: 'class', accepts }, next: at + 1 };
}

/** `**` at `at`: takes the slash behind it along. */
function readStars(characters: readonly string[], at: number): { token: Token; next: number } {
  let next = at + 2;
  const slash = characters[next] === '/';
  if (slash) next++;
  if (next >= characters.length) return { token: { kind: 'rest' }, next };
  // At the beginning and before plain text it stands for any text, not only for whole folders.
  const plain = !characters.slice(next).some((character) => '*?[]\\'.includes(character));
  return { token: { kind: at === 0 && !slash && plain ? 'rest' : 'folders' }, next };
}

function readPattern(pattern: string): Token[] {
  const characters = Array.from(pattern);
  const tokens: Token[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at] ?? '';
    if (character === '*' && characters[at + 1] === '*') {
      const { token, next } = readStars(characters, at);
      tokens.push(token);
      at = next;
      continue;
    }
    if (character === '[') {
      const { token, next } = readClass(characters, at + 1);
      tokens.push(token);
      at = next;
      continue;
    }
    at++;
    if (character === '*') tokens.push({ kind: 'many' });
    else if (character === '?') tokens.push({ kind: 'one' });
    else if (character !== '\\') tokens.push({ kind: 'literal', character });
    else {
      const escaped = characters[at++];
      if (escaped === undefined) throw badPattern();
      tokens.push({ kind: 'literal', character: escaped });
    }
  }
  return tokens;
}

/**
 * One pattern of a .dockerignore or --exclude, cleaned and without `!`. A path is read once from left to right with
 * all the places that the pattern may stand at: time is bounded by path times pattern, whatever stars it has.
 */
export class FilePattern {
  readonly text: string;
  readonly #tokens: readonly Token[];
  /** Most patterns are names: then no states are needed. */
  readonly #plain: boolean;

  /** Throws invalidArgument for a pattern that is not well formed. */
  constructor(text: string) {
    this.text = text;
    this.#tokens = readPattern(text);
    this.#plain = !/[*?[\\]/.test(text);
  }

  matches(path: string): boolean {
    if (this.#plain) return path === this.text;
    return this.#after(path).has(this.#tokens.length);
  }

  /** Whether something within the folder may match. */
  mayMatchBelow(folder: string): boolean {
    if (this.#plain) return this.text.startsWith(`${folder}/`);
    for (const state of this.#after(`${folder}/`)) if (state !== this.#tokens.length) return true;
    return false;
  }

  /**
   * The states after the text. State n stands before token n; `count + 1 + n` stands within token n, a stretch of
   * folders of which something has been read.
   */
  #after(text: string): Set<number> {
    let states = this.#closed(new Set([0]));
    for (const character of text) {
      if (states.size === 0) break;
      const next = new Set<number>();
      for (const state of states) this.#step(state, character, next);
      states = this.#closed(next);
    }
    return states;
  }

  #step(state: number, character: string, next: Set<number>): void {
    const count = this.#tokens.length;
    const index = state > count ? state - count - 1 : state;
    const token = this.#tokens[index];
    switch (token?.kind) {
      case 'literal':
        if (token.character === character) next.add(index + 1);
        break;
      case 'class':
        if (token.accepts(character)) next.add(index + 1);
        break;
      case 'one':
        if (character !== '/') next.add(index + 1);
        break;
      case 'many':
        if (character !== '/') next.add(index);
        break;
      case 'rest':
        next.add(index);
        break;
      case 'folders':
        next.add(count + 1 + index);
        if (character === '/') next.add(index + 1);
        break;
      case undefined:
        break;
    }
  }

  #closed(states: Set<number>): Set<number> {
    for (const state of states) {
      const kind = this.#tokens[state]?.kind;
      if (kind === 'many' || kind === 'rest' || kind === 'folders') states.add(state + 1);
    }
    return states;
  }
}
