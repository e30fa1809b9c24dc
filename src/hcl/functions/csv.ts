export interface CsvRow {
  readonly fields: readonly string[];
  /** From 1. */
  readonly line: number;
}

/** Reads comma-separated values (RFC 4180); empty lines are none. Throws errors with Go's words. */
export function parseCsv(text: string, separator = ','): CsvRow[] {
  const rows: CsvRow[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const blank = /\r?\n/y;
    blank.lastIndex = at;
    const skipped = blank.exec(text)?.[0];
    if (skipped !== undefined) {
      at += skipped.length;
      line += 1;
      continue;
    }
    const row = readRow(text, at, line, separator);
    rows.push({ fields: row.fields, line });
    line += 1 + (text.slice(at, row.end).match(/\n/g)?.length ?? 0);
    at = row.end;
    if (text.startsWith('\r\n', at)) at += 2;
    else if (text[at] === '\n') at += 1;
  }
  return rows;
}

function readRow(
  text: string,
  from: number,
  line: number,
  separator: string,
): { fields: string[]; end: number } {
  const fields: string[] = [];
  let at = from;
  for (;;) {
    const quoted = text[at] === '"';
    const pattern = quoted ? /"((?:[^"]|"")*)"/y : new RegExp(`[^${separator}\\r\\n]*`, 'y');
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) throw new Error(`CSV parse error on line ${line}: extraneous or missing " in quoted-field`);
    if (!quoted && match[0].includes('"'))
      throw new Error(`CSV parse error on line ${line}: bare " in non-quoted-field`);
    fields.push(quoted ? (match[1] ?? '').replaceAll('""', '"') : match[0]);
    at += match[0].length;
    if (text[at] === separator) {
      at += 1;
      continue;
    }
    const ends = at >= text.length || text[at] === '\n' || text.startsWith('\r\n', at);
    if (ends) return { fields, end: at };
    throw new Error(`CSV parse error on line ${line}: extraneous or missing " in quoted-field`);
  }
}
