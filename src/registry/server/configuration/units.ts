import { invalidArgument } from '#kernel';

const millisecondsOf: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90m`, `12h`, `30d`, `2w`, `1d12h` in milliseconds. Throws invalidArgument. */
export function parseSpan(text: string): number {
  if (!/^(?:\d+(?:\.\d+)?[smhdw])+$/.test(text)) {
    throw invalidArgument(`${JSON.stringify(text)} is no span of time: use s, m, h, d and w, as in 30d`);
  }
  return [...text.matchAll(/([\d.]+)([smhdw])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (millisecondsOf[unit ?? ''] ?? 0),
    0,
  );
}

const letters = ['', 'k', 'm', 'g', 't', 'p'];

/** `500MB`, `20GiB`, `1.5T` or bytes; powers of 1000 unless an `i` says 1024. Throws invalidArgument. */
export function parseSize(text: string): number {
  const [, count, letter = '', binary] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(i?)b?$/i.exec(text) ?? [];
  if (count === undefined || (binary !== '' && letter === '')) {
    throw invalidArgument(`${JSON.stringify(text)} is no size: use B, kB, MB, GB, TB or KiB, MiB, GiB, TiB`);
  }
  return Math.floor(Number(count) * (binary === '' ? 1000 : 1024) ** letters.indexOf(letter.toLowerCase()));
}

const names = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `12.3MB`: powers of 1000, three digits, as Docker shows sizes of images. */
export function sizeInWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < names.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))}${names[unit] ?? ''}`;
}

const spans: readonly (readonly [number, string])[] = [
  [365 * 86_400_000, 'year'],
  [30 * 86_400_000, 'month'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
];

/** `3 days`, rounded down. */
export function spanInWords(milliseconds: number): string {
  const [length, name] = spans.find(([span]) => milliseconds >= span) ?? [1000, 'second'];
  const count = Math.max(0, Math.floor(milliseconds / length));
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
