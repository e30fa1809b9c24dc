import { interpolate } from './interpolate.ts';

/** Reads `NAME=value` lines, with quotes and variables as in .env files. Later lines see earlier ones. */
export function parseEnvFile(
  text: string,
  lookup: (name: string) => string | undefined,
): Record<string, string> {
  const found: Record<string, string> = {};
  const known = (name: string): string | undefined => lookup(name) ?? found[name];
  const line = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*(?:[=:][ \t]*('(?:[^'])*'|"(?:\\.|[^"\\])*"|[^\n]*))?/;
  let rest = text.replaceAll('\r\n', '\n').replace(/^\uFEFF/, '');
  while (rest !== '') {
    const match = line.exec(rest);
    const isComment = /^[ \t]*(?:#|\n|$)/.test(rest);
    const whole = isComment || !match ? '' : match[0];
    if (match && !isComment) {
      const value = valueOf(match[2], known);
      if (value !== undefined) found[match[1] ?? ''] = value;
    }
    const end = rest.indexOf('\n', whole.length);
    rest = end < 0 ? '' : rest.slice(end + 1);
  }
  return found;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function valueOf(raw: string | undefined, lookup: (name: string) => string | undefined): string | undefined {
  if (raw === undefined) return undefined;
  if (raw.startsWith("'") && raw.endsWith("'") && raw.length > 1) return raw.slice(1, -1);
  if (raw.startsWith('"') && raw.endsWith('"') && raw.length > 1) {
    const text = raw
      .slice(1, -1)
      .replace(/\\(.)/gs, (_, sign: string) => escapes[sign] ?? (sign === '$' ? '$$' : sign));
    return interpolate(text, lookup);
  }
  return interpolate(raw.replace(/(^|\s+)#.*$/, '').trim(), lookup);
}
