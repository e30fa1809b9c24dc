const powers: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size such as `128m` in the form in which targets have it: `128MiB`. Undefined for none. */
export function bytesText(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (!match) throw new Error(`invalid size: '${text}'`);
  let size = Math.trunc(Number(match[1]) * 1024 ** (powers[(match[2] ?? '').toLowerCase()] ?? 0));
  if (size === 0) return undefined;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${Number(size.toPrecision(4))}${units[unit] ?? ''}`;
}
