/** ` Did you mean "TAG"?` where a known name is near; otherwise nothing. */
export function suggestion(name: string, known: readonly string[]): string {
  const near = [...known].sort().find((other) => distance(name, other) < 3);
  return near === undefined ? '' : ` Did you mean ${JSON.stringify(near)}?`;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
