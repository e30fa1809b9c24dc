import { DockerfileError } from '../dockerfile/location.ts';

const highest = 0o7777;
const clause = /^[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+$/;

/** `--chmod`: octal as a number, `u+x,go-w` as text, undefined for none. Throws DockerfileError. */
export function parseChmod(text: string): number | string | undefined {
  if (text === '') return undefined;
  const notOctal = new DockerfileError(
    `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
  );
  if (/^[0-7]+$/.test(text)) {
    const mode = parseInt(text, 8);
    if (mode > highest) throw notOctal;
    return mode;
  }
  if (text.split(',').every((part) => clause.test(part))) return text;
  if (/^\d/.test(text)) throw notOctal;
  throw new DockerfileError('invalid syntax');
}
