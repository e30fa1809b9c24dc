import type { BuildTrace } from './build-trace.ts';

/** The last lines that each failed step has printed. */
export function errorLogs(trace: BuildTrace): string {
  const failed = [...trace.steps].filter(({ error }) => error !== '' && !error.endsWith('context canceled'));
  return failed
    .map(({ name, lastLines }) => ['------', ` > ${name}:`, ...lastLines, '------', ''].join('\n'))
    .join('');
}
