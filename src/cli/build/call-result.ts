import type { BuildCall } from './build-options.ts';
import { sourceExcerpt } from './source-excerpt.ts';

/** The answer to a question about a Dockerfile, as buildx prints it. */
export interface CallResult {
  /** For standard output. */
  readonly text: string;
  /** An error that was found in the Dockerfile, for standard error. */
  readonly error?: string;
  readonly status: number;
}

interface LintAnswer {
  readonly warnings?: readonly unknown[] | null;
  readonly sources?: readonly {
    readonly filename: string;
    readonly data: string;
    readonly language?: string;
  }[];
  readonly buildError?: {
    readonly message: string;
    readonly location?: {
      readonly sourceIndex?: number;
      readonly ranges?: readonly { readonly start?: { line?: number }; readonly end?: { line?: number } }[];
    };
  };
}

/** Reads the metadata of a frontend's result. */
export function callResult(
  metadata: Readonly<Record<string, Uint8Array>>,
  { name, format, ignoreStatus }: BuildCall,
): CallResult {
  const textOf = (key: string): string => Buffer.from(metadata[key] ?? []).toString();
  const json = textOf('result.json');
  const code = Number(textOf('result.statuscode') || 0);
  const status = code === 0 || ignoreStatus ? 0 : 1;
  if (format === 'json') return { text: `${indented(json)}\n`, status };
  if (name !== 'lint') return { text: textOf('result.txt'), status };
  // The engine's own words.
  const answer = JSON.parse(json || '{}') as LintAnswer;
  const count = answer.warnings?.length ?? 0;
  const error = errorText(answer);
  const found = count === 1 ? '1 warning has been found!' : `${count} warnings have been found!`;
  const head = count > 0 ? `Check complete, ${found}\n` : '';
  const none = count === 0 && error === '' ? 'Check complete, no warnings found.\n' : '';
  return {
    text: `${head}${count > 0 ? textOf('result.txt') : ''}${none}`,
    status: error === '' ? status : 1,
    ...(error !== '' && { error }),
  };
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), undefined, 2);
  } catch {
    return json;
  }
}

function errorText({ buildError: error, sources = [] }: LintAnswer): string {
  if (!error) return '';
  const source = sources[error.location?.sourceIndex ?? 0];
  const ranges = (error.location?.ranges ?? []).map(({ start, end }) => ({
    start: { line: start?.line ?? 0 },
    end: { line: end?.line ?? start?.line ?? 0 },
  }));
  const excerpt = source
    ? sourceExcerpt({ filename: source.filename, data: Buffer.from(source.data, 'base64') }, ranges)
    : '';
  return `${error.message}\n${excerpt}`.trimEnd();
}
