const named: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** strconv.Quote: a Go string literal; what cannot be printed is escaped. */
export function quote(text: string): string {
  let quoted = '';
  for (const char of text) quoted += named[char] ?? (isPrintable(char) ? char : escapeRune(char));
  return `"${quoted}"`;
}

function isPrintable(char: string): boolean {
  // Most text is plain ASCII, and the classes below cost a millisecond to compile.
  if (char <= '~') return char >= ' ';
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char);
}

function escapeRune(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}
