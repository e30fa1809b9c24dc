/** What help says about --format; `table` where the command has a table. */
export function formatUsage(table: boolean): string {
  const rows = [
    'How to print:',
    ...(table
      ? [
          "'table':            Columns with headings (default)",
          "'table TEMPLATE':   Columns by this Go template, with headings",
        ]
      : []),
    "'json':             JSON",
    "'TEMPLATE':         This Go template, once for each",
  ];
  return rows.join('\n');
}
