/** `os[/arch[/variant]]` as the JSON that newer endpoints take; undefined for an empty text. */
export function platformJson(text: string): string | undefined {
  if (text === '') return undefined;
  const [os = '', architecture = '', variant, ...rest] = text.split('/');
  const isWord = (word: string): boolean => /^[A-Za-z0-9_.-]+$/.test(word);
  if (rest.length > 0 || !isWord(os) || (architecture !== '' && !isWord(architecture))) {
    throw new Error(
      `invalid platform: ${JSON.stringify(text)} is an invalid component of ${JSON.stringify(text)}: platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument`,
    );
  }
  return JSON.stringify({ architecture, os, ...(variant !== undefined && { variant }) });
}
