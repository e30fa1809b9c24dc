import type { VertexWarning } from '#buildkit';
import { sourceExcerpt } from '../source-excerpt.ts';

export interface SummaryOptions {
  /** Name of the program that shows more. */
  readonly program: string;
  /** With explanations and the places in the Dockerfile. */
  readonly isDetailed: boolean;
}

/** The warnings of a build, after it; empty where there are none. */
export function warningSummary(
  warnings: readonly VertexWarning[],
  { program, isDetailed }: SummaryOptions,
): string {
  if (warnings.length === 0) return '';
  const count = warnings.length === 1 ? '1 warning found' : `${warnings.length} warnings found`;
  const hint = isDetailed ? '' : ` (use ${program} --debug to expand)`;
  const rows = warnings.map(
    (warning) => ` - ${textOf(warning.short)}\n${isDetailed ? details(warning) : ''}`,
  );
  return `\n ${count}${hint}:\n${rows.join('')}`;
}

function details({ detail, url, info, ranges }: VertexWarning): string {
  const lines = detail.map((each) => `${textOf(each)}\n`);
  const more = url === '' ? '' : `More info: ${url}\n`;
  return `${lines.join('')}${more}${sourceExcerpt(info, ranges)}\n`;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
