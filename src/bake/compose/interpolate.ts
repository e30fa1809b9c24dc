/** A variable of a compose file that must have a value, or a reference that cannot be read. */
export class InterpolationError extends Error {
  override readonly name = 'InterpolationError';
}

type Lookup = (name: string) => string | undefined;

const variableName = /[_a-zA-Z][_a-zA-Z0-9]*/y;

/** Puts variables into a text: `$NAME`, `${NAME:-default}` and its kin; `$$` is a dollar sign. */
export function interpolate(text: string, lookup: Lookup): string {
  let result = '';
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return result + text.slice(at);
    result += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === '$') {
      result += '$';
      at = dollar + 2;
    } else if (next === '{') {
      const end = closingBrace(text, dollar + 2);
      if (end < 0) throw invalid(text);
      result += braced(text.slice(dollar + 2, end), lookup, text);
      at = end + 1;
    } else {
      variableName.lastIndex = dollar + 1;
      const name = variableName.exec(text)?.[0];
      if (name === undefined) throw invalid(text);
      result += lookup(name) ?? '';
      at = dollar + 1 + name.length;
    }
  }
  return result;
}

const invalid = (text: string): Error =>
  new InterpolationError(
    `invalid interpolation format: ${JSON.stringify(text)}\nYou may need to escape any $ with another $`,
  );

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('${', at)) depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

function braced(inside: string, lookup: Lookup, whole: string): string {
  const match = /^([_a-zA-Z][_a-zA-Z0-9]*)(?:(:?)([-?+])(.*))?$/s.exec(inside);
  if (!match) throw invalid(whole);
  const [, name = '', colon, operator = '', word = ''] = match;
  const value = lookup(name) ?? '';
  // With a colon an empty value counts as none.
  const isSet = lookup(name) !== undefined && (colon !== ':' || value !== '');
  if (operator === '+') return isSet ? interpolate(word, lookup) : '';
  if (isSet || operator === '') return value;
  if (operator === '-') return interpolate(word, lookup);
  const reason = word === '' ? '' : `: ${interpolate(word, lookup)}`;
  throw new InterpolationError(`required variable ${name} is missing a value${reason}`);
}
