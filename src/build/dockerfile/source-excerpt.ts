import { mergeLocations } from './location.ts';
import type { Location } from './location.ts';

/** Lines shown before and after what is marked: two for a single line, one for several. */
const around = (count: number): number => (count === 1 ? 2 : 1);
const rule = '--------------------';

/**
 * The lines of a file that an error or a warning is about, marked, with some around them:
 *
 *     Dockerfile:2
 *     --------------------
 *        1 |     FROM scratch
 *        2 | >>> RUNN x
 *     --------------------
 */
export function sourceExcerpt(fileName: string, text: string, locations: readonly Location[]): string {
  const rows = text.split('\n');
  const marked = mergeLocations(locations).filter(({ firstLine }) => firstLine >= 1);
  const first = marked[0]?.firstLine;
  const last = marked.at(-1)?.lastLine;
  if (first === undefined || last === undefined) return '';
  if (first > rows.length) return '';
  const padding = around(last - first + 1);
  const start = Math.max(1, first - padding);
  const end = Math.min(rows.length, last + padding);
  const isMarked = (line: number): boolean =>
    marked.some(({ firstLine, lastLine }) => line >= firstLine && line <= lastLine);
  const shown = rows.slice(start - 1, end).map((row, index) => {
    const line = start + index;
    return ` ${String(line).padStart(3)} | ${isMarked(line) ? '>>>' : '   '} ${row.replace(/\r$/, '')}`;
  });
  return [`${fileName}:${first}`, rule, ...shown, rule, ''].join('\n');
}
