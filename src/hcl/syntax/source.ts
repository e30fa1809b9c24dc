/** A file that is read: its name as messages show it, and its text. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** A piece of a source, by offsets into its text. */
export interface Range {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters as people count them (grapheme clusters). */
  readonly column: number;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How many characters a person sees. */
export function countCharacters(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return Array.from(graphemes.segment(text)).length;
}

/** The characters that a person sees, one by one. */
export const splitCharacters = (text: string): string[] =>
  Array.from(graphemes.segment(text), ({ segment }) => segment);

export function positionOf(source: Source, offset: number): Position {
  const before = source.text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1;
  return { line, column: countCharacters(before.slice(lineStart)) + 1 };
}

/** `docker-bake.hcl:5,30-34`, or with both lines where there are two. */
export function describeRange({ source, start, end }: Range): string {
  const [from, to] = [positionOf(source, start), positionOf(source, end)];
  return from.line === to.line
    ? `${source.name}:${from.line},${from.column}-${to.column}`
    : `${source.name}:${from.line},${from.column}-${to.line},${to.column}`;
}

/** From the start of one to the end of the other. */
export const spanning = (from: Range, to: Range): Range => ({ ...from, end: Math.max(from.end, to.end) });
