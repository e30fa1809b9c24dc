/** A pattern of path.Match of Go: `*`, `?`, classes, backslashes. Undefined where it is malformed. */
export function namePattern(pattern: string): RegExp | undefined {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const sign = pattern[at] ?? '';
    if (sign === '*') source += '[^/]*';
    else if (sign === '?') source += '[^/]';
    else if (sign === '\\') {
      at += 1;
      if (at >= pattern.length) return undefined;
      source += escape(pattern[at] ?? '');
    } else if (sign === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) return undefined;
      const inside = pattern.slice(at + 1, end).replace(/[\\\]]/g, '\\$&');
      source += `[${inside}]`;
      at = end;
    } else source += escape(sign);
  }
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    return undefined;
  }
}

const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

export const hasWildcards = (text: string): boolean => /[*?[\]]/.test(text);
