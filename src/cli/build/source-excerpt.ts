/** A text with its name. */
export interface Source {
  readonly filename: string;
  readonly data: Uint8Array;
}

/** Lines of it, from 1. */
export interface LineRange {
  readonly start?: { readonly line: number } | undefined;
  readonly end?: { readonly line: number } | undefined;
}

const rule = '--------------------';

/** The lines of a source around the ranges, those in them marked; empty where there is nothing to show. */
export function sourceExcerpt(info: Source | undefined, ranges: readonly LineRange[]): string {
  const lines = Buffer.from(info?.data ?? [])
    .toString()
    .split('\n');
  const first = Math.min(...ranges.map(({ start }) => start?.line ?? Infinity));
  const last = Math.min(
    lines.length,
    Math.max(...ranges.map(({ end, start }) => end?.line ?? start?.line ?? 0)),
  );
  if (!info || first < 1 || first > lines.length) return '';
  const [from, to] = surroundings(first, last, lines.length);
  const isMarked = (line: number): boolean =>
    ranges.some(({ start, end }) => line >= (start?.line ?? 0) && line <= (end?.line ?? start?.line ?? 0));
  const shown = lines.slice(from - 1, to).map((text, index) => {
    const line = from + index;
    return ` ${String(line).padStart(3)} | ${isMarked(line) ? '>>>' : '   '} ${text}`;
  });
  return [`${info.filename}:${first}`, rule, ...shown, rule, ''].join('\n');
}

/** A few lines more in both directions, as many as there are. */
function surroundings(first: number, last: number, count: number): readonly [from: number, to: number] {
  const wanted = last === first ? 4 : 2;
  let [from, to] = [first, last];
  for (let added = 0; added < wanted; added += 1) {
    if (from > 1) {
      from -= 1;
      added += 1;
    }
    if (to !== count) {
      to += 1;
      added += 1;
    }
  }
  return [from, to];
}
