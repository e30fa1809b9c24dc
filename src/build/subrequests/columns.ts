/** Text in columns, each as wide as its longest cell and a gap; the last one is as long as it is. */
export function columns(rows: readonly (readonly string[])[], gap: number): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.slice(0, -1).entries()) {
      widths[index] = Math.max(widths[index] ?? 0, Array.from(cell).length + gap);
    }
  }
  const line = (row: readonly string[]): string =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}
