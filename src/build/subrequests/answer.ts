import type { Location } from '../dockerfile/location.ts';

/** What a frontend answers a subrequest with, by the names of BuildKit's result metadata. */
export type Answer = Readonly<Record<string, string>>;

/** The file that was asked about. */
export interface AskedFile {
  /** As the client calls it. */
  readonly name: string;
  readonly text: string;
}

/** The version of every subrequest that there is. */
export const version = '1.0.0';

const escapes: Readonly<Record<string, string>> = {
  '<': String.raw`\u003c`,
  '>': String.raw`\u003e`,
  '&': String.raw`\u0026`,
  '\u2028': String.raw`\u2028`,
  '\u2029': String.raw`\u2029`,
};

/** JSON as Go's encoder indents and escapes it: clients show it as it comes. */
export const goJson = (value: unknown): string =>
  JSON.stringify(value, undefined, 2).replace(/[<>&\u2028\u2029]/g, (found) => escapes[found] ?? found);

/** A field that is left out when it says nothing. */
export const present = (name: string, value: string | boolean): Record<string, string | boolean> =>
  value === '' || value === false ? {} : { [name]: value };

/** Lines of the one file there is (solver/pb, Location); BuildKit's frontend leaves columns out. */
export const locationJson = (locations: readonly Location[]): object =>
  locations.length === 0
    ? {}
    : {
        ranges: locations.map(({ firstLine, lastLine }) => ({
          start: { line: firstLine },
          end: { line: lastLine },
        })),
      };

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
