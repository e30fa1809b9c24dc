import { DockerfileError } from './location.ts';

/** One record of comma-separated values (RFC 4180), as the values of --mount and --device are written. */
export function commaFields(text: string, what: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let field = '';
      const start = ++at;
      for (; ; at++) {
        if (at >= text.length) throw bad(what, start, 'extraneous or missing " in quoted-field');
        if (text[at] !== '"') field += text.charAt(at);
        else if (text[at + 1] === '"') {
          field += '"';
          at++;
        } else break;
      }
      at++;
      if (at < text.length && text[at] !== ',')
        throw bad(what, at, 'extraneous or missing " in quoted-field');
      fields.push(field);
    } else {
      const end = text.indexOf(',', at);
      const field = end === -1 ? text.slice(at) : text.slice(at, end);
      if (field.includes('"')) throw bad(what, at + field.indexOf('"'), 'bare " in non-quoted-field');
      fields.push(field);
      at += field.length;
    }
    if (at >= text.length) return fields;
    at++;
  }
}

const bad = (what: string, column: number, problem: string): DockerfileError =>
  new DockerfileError(`failed to parse csv ${what}: parse error on line 1, column ${column + 1}: ${problem}`);
