import { isCanceled, lineText, type BuildTrace } from './build-trace.ts';

/** The last lines that each failed step has printed. */
export function errorLogs(trace: BuildTrace): string {
  const failed = [...trace.steps].filter((step) => step.error !== '' && !isCanceled(step));
  return failed
    .map(({ name, lastLines }) =>
      ['------', ` > ${name}:`, ...lastLines.map(lineText), '------', ''].join('\n'),
    )
    .join('');
}
