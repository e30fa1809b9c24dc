/** What Go's unicode.IsSpace holds for white space; JavaScript's \s counts the byte order mark too, and no NEL. */
const space = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const leading = new RegExp(`^${space}+`);
const one = new RegExp(`^${space}$`);

export const isSpace = (character: string): boolean => one.test(character);

export const trimLeft = (text: string): string => text.replace(leading, '');

export function trim(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charAt(end - 1))) end--;
  return trimLeft(text.slice(0, end));
}

/** The blanks that separate words of an instruction; a newline is none of them. */
export const blanks = /[\t\v\f\r ]+/;

/** Split at the first run of blanks. */
export function splitOnce(text: string): [string, string | undefined] {
  const found = blanks.exec(text);
  return found ? [text.slice(0, found.index), text.slice(found.index + found[0].length)] : [text, undefined];
}
