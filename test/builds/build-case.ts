/** What a context holds under a path: text, or something else than a plain file. */
export type ContextEntry =
  | string
  | { readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly folder: true; readonly mode?: number }
  | { readonly link: string }
  /** Another name of the same file. */
  | { readonly hardLink: string }
  /** A tar made of these files, compressed as said. */
  | {
      readonly archive: Readonly<Record<string, ContextEntry>>;
      readonly compression?: 'gzip' | 'bzip2' | 'xz';
    };

/** A build that the reference and we must come to the same image with. */
export interface BuildCase {
  readonly name: string;
  readonly dockerfile: string;
  readonly files?: Readonly<Record<string, ContextEntry>>;
  readonly target?: string;
  readonly arguments?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly platform?: string;
  /** Secrets by id. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Named contexts: folders of these files, or anything that --build-context takes. */
  readonly contexts?: Readonly<Record<string, string | Readonly<Record<string, ContextEntry>>>>;
  /** Name of the file, where it is not Dockerfile. */
  readonly file?: string;
  readonly network?: string;
  /** It must fail; the golden file has the message. */
  readonly fails?: true;
  /** The reference cannot build it (too old, or no such feature): not recorded. */
  readonly unrecorded?: string;
}

/** The rows, with a layer where a stage begins with nothing: images without layers cannot be saved. */
export const withLayer = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => (line.toLowerCase() === 'from scratch' ? [line, 'WORKDIR /layer'] : [line]));

/** Rows of a Dockerfile. */
export const rows = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;
