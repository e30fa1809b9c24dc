import { isSpace, trim, trimLeft, splitOnce } from '#kernel';

/** An instruction's line, before its arguments are read. */
export interface CommandLine {
  readonly name: string;
  /** `--flag[=value]` words, unquoted. */
  readonly flags: readonly string[];
  readonly rest: string;
}

/** A word from `start` on, without its quotes and escapes; `end` is where the blank after it stands. */
function unquotedWord(
  text: string,
  start: number,
  escape: string,
): { word: string; end: number; blank: boolean } {
  let word = '';
  let quote = '';
  let quoted = false;
  let at = start;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote === '') {
      if (isSpace(character)) break;
      if (character === "'" || character === '"') {
        quote = character;
        quoted = true;
        continue;
      }
    } else if (character === quote) {
      quote = '';
      continue;
    }
    if (character !== escape) word += character;
    else if (at + 1 < text.length) word += text.charAt(++at);
  }
  return { word, end: at, blank: !quoted && word === '' };
}

function splitFlags(text: string, escape: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let rest = trimLeft(text);
  while (rest.startsWith('--')) {
    const { word, end, blank } = unquotedWord(rest, 0, escape);
    rest = rest.slice(end);
    if (word === '--') break;
    if (!blank) flags.push(word);
    rest = trimLeft(rest);
  }
  return { flags, rest };
}

/** The instruction's name, its flags, and the rest trimmed. */
export function splitCommandLine(line: string, escape: string): CommandLine {
  const [name, given] = splitOnce(trim(line));
  const { flags, rest } = splitFlags(given ?? '', escape);
  return { name, flags, rest: trim(rest) };
}

/** Words of `k=v` lists: split at white space outside quotes, quotes and escapes kept for the expansion. */
export function rawWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote === '' && isSpace(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (character === quote) quote = '';
    else if (quote === '' && (character === "'" || character === '"')) quote = character;
    else if (character === escape && quote !== "'") {
      // At the end of the line it is left out.
      if (at + 1 === text.length) break;
      word += character + text.charAt(++at);
      continue;
    }
    word += character;
  }
  if (word !== '') words.push(word);
  return words;
}
