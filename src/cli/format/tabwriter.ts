import { displayWidth } from './display-width.ts';

export interface TabwriterOptions {
  /** Least width of a cell, padding included. */
  readonly minWidth?: number;
  readonly padding?: number;
}

/**
 * Aligns tab-separated text in columns by Go's text/tabwriter rules with spaces as padding: a cell ends with a
 * tab, a column is a block of neighbouring lines that have such a cell, and what follows the last tab of a line
 * belongs to no column. Wide characters count two columns.
 */
export function tabulate(text: string, options: TabwriterOptions = {}): string {
  const { minWidth = 10, padding = 3 } = options;
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths: number[][] = lines.map(() => []);
  // Iterative form of Go's recursion: each column's block ends where a line has no cell there.
  const layOut = (from: number, to: number, column: number): void => {
    for (let start = from; start < to; start += 1) {
      if (cells(lines[start]) <= column) continue;
      let end = start;
      let width = minWidth;
      for (; end < to && cells(lines[end]) > column; end += 1) {
        width = Math.max(width, displayWidth(lines[end]?.[column] ?? '') + padding);
      }
      for (let line = start; line < end; line += 1) widths[line]?.push(width);
      layOut(start, end, column + 1);
      start = end;
    }
  };
  layOut(0, lines.length, 0);
  return lines
    .map((line, row) =>
      line.map((cell, column) => cell + ' '.repeat(gap(cell, widths[row]?.[column]))).join(''),
    )
    .join('\n');
}

const tabStop = 8;

/** Aligns rows of equally many cells with tabs, as Go's text/tabwriter does where tabs are the padding. */
export function tabulateWithTabs(text: string): string {
  const rows = text.split('\n').map((line) => line.split('\t'));
  const width = (column: number): number => {
    const widest = Math.max(...rows.map((row) => displayWidth(row[column] ?? '') + 1));
    return Math.ceil(widest / tabStop) * tabStop;
  };
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          if (column === row.length - 1) return cell;
          return cell + '\t'.repeat(Math.ceil((width(column) - displayWidth(cell)) / tabStop));
        })
        .join(''),
    )
    .join('\n');
}

const cells = (line: readonly string[] | undefined): number => (line?.length ?? 1) - 1;
const gap = (cell: string, width: number | undefined): number =>
  width === undefined ? 0 : Math.max(0, width - displayWidth(cell));
