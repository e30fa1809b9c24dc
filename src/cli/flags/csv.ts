/** The fields of one line of CSV: `a,"b,c"` gives `a` and `b,c`. Throws Go's text for a stray quote. */
export function splitCsv(text: string): string[] {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    if (rest.startsWith('"')) {
      const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest);
      if (!quoted)
        throw new Error(
          `parse error on line 1, column ${text.length - rest.length + 1}: extraneous or missing " in quoted-field`,
        );
      fields.push((quoted[1] ?? '').replaceAll('""', '"'));
      rest = rest.slice(quoted[0].length);
      if (quoted[2] !== ',') return fields;
      continue;
    }
    const comma = rest.indexOf(',');
    const field = comma < 0 ? rest : rest.slice(0, comma);
    const stray = field.indexOf('"');
    if (stray >= 0)
      throw new Error(
        `parse error on line 1, column ${text.length - rest.length + stray + 1}: bare " in non-quoted-field`,
      );
    fields.push(field);
    if (comma < 0) return fields;
    rest = rest.slice(comma + 1);
  }
}
