import type { Range } from './syntax/source.ts';
import { describeRange } from './syntax/source.ts';

/** One thing that is wrong with a configuration. */
export interface Diagnostic {
  readonly summary: string;
  readonly detail: string;
  readonly range?: Range | undefined;
}

/** A configuration that cannot be read or evaluated; `message` is HCL's. */
export class HclError extends Error {
  override readonly name = 'HclError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(describe(diagnostics));
    this.diagnostics = diagnostics;
  }
}

/** An error of one diagnostic. */
export const hclError = (summary: string, detail: string, range?: Range): HclError =>
  new HclError([{ summary, detail, range }]);

function describe(diagnostics: readonly Diagnostic[]): string {
  const [first, ...others] = diagnostics;
  if (!first) return 'no diagnostics';
  const place = first.range ? describeRange(first.range) : '<nil>';
  const more = others.length === 0 ? '' : `, and ${others.length} other diagnostic(s)`;
  return `${place}: ${first.summary}; ${first.detail}${more}`;
}
