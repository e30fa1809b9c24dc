import { invalidArgument } from '#kernel';
import { normalizePlatform, parsePlatform, type Platform } from '#oci';
import { describeSyntaxError } from '../json-syntax.ts';
import type { Query } from '../query.ts';

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

/** Of a broken literal the older decoder names the character that it waited for. */
function expected(text: string, why: string): string {
  const literal = / in literal (\w+)$/.exec(why)?.[1];
  if (literal === undefined) return why;
  const at = Array.from(literal).findIndex((char, n) => text.trimStart().charAt(n) !== char);
  return `${why} (expecting '${literal.charAt(at)}')`;
}

function parseFields(text: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const why = expected(text, describeSyntaxError(text) ?? 'unexpected EOF');
    throw invalidArgument(`failed to parse platform: ${why}`, error);
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json };
  throw invalidArgument(
    `failed to parse platform: json: cannot unmarshal ${kindOf(json)} into Go value of type v1.Platform`,
  );
}

function textOf(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name] ?? '';
  if (typeof value === 'string') return value;
  throw invalidArgument(
    `failed to parse platform: json: cannot unmarshal ${kindOf(value)} into Go struct field Platform.${name} of type string`,
  );
}

/** A platform as newer operations take it: a JSON object. Throws invalidArgument in Docker's words. */
export function decodePlatform(text: string): Platform {
  const fields = parseFields(text);
  const os = textOf(fields, 'os');
  const architecture = textOf(fields, 'architecture');
  const variant = textOf(fields, 'variant');
  const version = textOf(fields, 'os.version');
  if (os === '' && architecture === '' && `${variant}${version}` !== '') {
    throw invalidArgument('optional platform fields provided, but OS and Architecture are missing');
  }
  if (os === '' || architecture === '') {
    throw invalidArgument('both OS and Architecture must be provided');
  }
  const rest = { ...(variant !== '' && { variant }), ...(version !== '' && { 'os.version': version }) };
  return normalizePlatform({ os, architecture, ...rest });
}

/** `platform` of a request as a JSON object; undefined when it is missing. */
export function platformOf(query: Query): Platform | undefined {
  const text = query.text('platform');
  return text === '' ? undefined : decodePlatform(text);
}

/** `platform` where a request may give `os[/arch[/variant]]` too. Throws invalidArgument. */
export function anyPlatformOf(query: Query): { readonly platform?: Platform } {
  const text = query.text('platform');
  if (text === '') return {};
  return { platform: text.startsWith('{') ? decodePlatform(text) : parsePlatform(text) };
}
