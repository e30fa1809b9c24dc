import { Row, compareBytes, isMap, isObject } from './go-value.ts';

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/**
 * JSON as Go's encoder writes it: `<`, `>` and `&` escaped when `html` is set (json.Marshal does, Docker's
 * template function does not); maps in order of their keys.
 */
export function encodeJson(value: unknown, options: { html?: boolean } = {}): string {
  // JSON.stringify() gives undefined for undefined, whatever its declaration says.
  const text = (JSON.stringify(value, sortMaps) as string | undefined) ?? 'null';
  return text.replace(
    options.html || holdsRow(value) ? /[<>&\u2028\u2029]/g : /[\u2028\u2029]/g,
    (char) => escapes[char] ?? char,
  );
}

function holdsRow(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsRow);
  return value instanceof Row || (isObject(value) && Object.values(value).some(holdsRow));
}

function sortMaps(_key: string, value: unknown): unknown {
  if (!isObject(value) || !isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => compareBytes(a, b)));
}

/**
 * Indents a JSON text without reading it into numbers and strings, so that every number and escape stays as the
 * engine wrote it. Empty objects and arrays stay on one line, as Go's json.Indent leaves them.
 */
export function indentJson(text: string, prefix = '', indent = '    '): string {
  const out: string[] = [];
  let depth = 0;
  let pending = false;
  const newline = (): void => void out.push('\n', prefix, indent.repeat(depth));
  const scanner = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g;
  for (const [token] of text.matchAll(scanner)) {
    if (token === '}' || token === ']') {
      depth -= 1;
      if (pending) pending = false;
      else newline();
      out.push(token);
      continue;
    }
    if (pending) {
      pending = false;
      newline();
    }
    if (token === '{' || token === '[') {
      depth += 1;
      pending = true;
      out.push(token);
    } else if (token === ',') {
      out.push(token);
      newline();
    } else out.push(token === ':' ? ': ' : token);
  }
  return out.join('');
}
