import { DockerfileError } from './location.ts';
import { quoted } from './go-text.ts';

/** A pattern of the shell without brackets: literal characters, `?` and `*`. */
type Token = { readonly literal: string } | 'one' | 'many';

/** Reads a pattern of `${name#pattern}` and its like. `\}` and `\/` stand for the character alone. */
export function parseWildcard(pattern: string): readonly Token[] {
  const characters = Array.from(pattern);
  const tokens: Token[] = [];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? '';
    if (character === '*') tokens.push('many');
    else if (character === '?') tokens.push('one');
    else if (character !== '\\') tokens.push({ literal: character });
    else {
      const next = characters[i + 1];
      if (next === '}' || next === '/') continue;
      if (next !== '*' && next !== '?' && next !== '\\') {
        const shown = next ?? '\ufffd';
        throw new DockerfileError(
          `invalid pattern (${pattern}) in substitution: invalid escape '\\${shown}'`,
        );
      }
      tokens.push({ literal: next });
      i++;
    }
  }
  return tokens;
}

const accepts = (token: Token | undefined, character: string): boolean =>
  token === 'one' || token === 'many' ? character !== '\n' : token?.literal === character;

/** Adds what is reached without reading a character: past any number of stars. */
function close(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) if (tokens[state] === 'many') states.add(state + 1);
  return states;
}

/** The first (or, greedy, the last) end of a match that begins at `start`; undefined for none. Linear per start. */
function matchEnd(
  tokens: readonly Token[],
  text: readonly string[],
  start: number,
  greedy: boolean,
): number | undefined {
  let states = close(tokens, new Set([0]));
  let end: number | undefined;
  for (let at = start; ; at++) {
    if (states.has(tokens.length)) {
      if (!greedy) return at;
      end = at;
    }
    const character = text[at];
    if (character === undefined || states.size === 0) return end;
    const next = new Set<number>();
    for (const state of states) {
      if (!accepts(tokens[state], character)) continue;
      next.add(tokens[state] === 'many' ? state : state + 1);
    }
    states = close(tokens, next);
  }
}

/** `${value#pattern}`, greedy `##`. */
export function withoutPrefix(value: string, pattern: string, greedy: boolean): string {
  const text = Array.from(value);
  const end = matchEnd(parseWildcard(pattern), text, 0, greedy);
  return end === undefined ? value : text.slice(end).join('');
}

/** `${value%pattern}`, greedy `%%`. */
export function withoutSuffix(value: string, pattern: string, greedy: boolean): string {
  const text = Array.from(value).reverse();
  const end = matchEnd(parseWildcard(pattern).toReversed(), text, 0, greedy);
  return end === undefined ? value : text.slice(end).reverse().join('');
}

/** The most work a replacement may be: starts times characters times pattern. */
const workBound = 10_000_000;

/** `${value/pattern/replacement}`, `all` for `//`; the leftmost longest match counts. */
export function replaced(value: string, pattern: string, replacement: string, all: boolean): string {
  const tokens = parseWildcard(pattern);
  const text = Array.from(value);
  if (tokens.includes('many') && text.length ** 2 * tokens.length > workBound) {
    throw new DockerfileError(`the value is too long for the pattern ${quoted(pattern)}`);
  }
  let result = '';
  let at = 0;
  let afterMatch = false;
  while (at <= text.length) {
    const end = matchEnd(tokens, text, at, true);
    if (end !== undefined && !(end === at && afterMatch)) {
      result += replacement;
      if (!all) return result + text.slice(end).join('');
      afterMatch = end > at;
      if (end > at) {
        at = end;
        continue;
      }
    }
    result += text[at] ?? '';
    afterMatch = false;
    at++;
  }
  return result;
}
