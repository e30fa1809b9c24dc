import { noVariables } from './variables.ts';
import { WordExpander } from './word-expander.ts';

/** The opening of an inline file: `<<EOF`, `3<<-"EOF"`. */
export interface HeredocOpening {
  readonly name: string;
  readonly fileDescriptor: number;
  /** Variables in it are expanded: no part of its name was quoted. */
  readonly expand: boolean;
  /** `<<-`: tabs at the beginning of its lines are left out. */
  readonly chomp: boolean;
}

export interface Heredoc extends HeredocOpening {
  /** As it stands in the file, line ends included. */
  readonly content: string;
}

const form = /^(\d*)<<(-?)\s*([^<]*)$/;
const quotes = /['"]/g;
const plain = new WordExpander('\\', { keepUnset: true });
const raw = new WordExpander('\\', { keepUnset: true, rawQuotes: true });
const splitter = new WordExpander('\\', { keepUnset: true, rawQuotes: true, rawEscapes: true });

const countQuotes = (text: string): number => text.match(quotes)?.length ?? 0;

/** A word as the opening of a heredoc; undefined when it is none. Throws DockerfileError for unbalanced quotes. */
export function parseHeredocOpening(word: string): HeredocOpening | undefined {
  const [, descriptor, dash, rest] = form.exec(word) ?? [];
  if (rest === undefined || rest === '') return undefined;
  const { words } = plain.expand(rest, noVariables);
  const [name] = words;
  if (words.length !== 1 || name === undefined) return undefined;
  const written = raw.expand(rest, noVariables).words[0] ?? name;
  return {
    name,
    fileDescriptor: Number(descriptor),
    expand: countQuotes(name) === countQuotes(written),
    chomp: dash === '-',
  };
}

/** parseHeredocOpening() for words that were read before. */
export function findHeredocOpening(word: string): HeredocOpening | undefined {
  try {
    return parseHeredocOpening(word);
  } catch {
    return undefined;
  }
}

/** All openings of an instruction's line, in order. */
export function heredocOpenings(line: string): HeredocOpening[] {
  let words: readonly string[];
  try {
    ({ words } = splitter.expand(line, noVariables));
  } catch {
    return [];
  }
  return words.map(parseHeredocOpening).filter((opening) => opening !== undefined);
}

/** The content as it is used: without its leading tabs where that was asked for. */
export const heredocText = ({ content, chomp }: Pick<Heredoc, 'content' | 'chomp'>): string =>
  chomp ? content.replace(/^\t+/gm, '') : content;
