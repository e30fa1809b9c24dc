const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Reads `1h30m`, `-1.5s`, as Go writes spans; milliseconds. Throws Go's errors. */
export function parseGoDuration(text: string): number {
  const fail = (): Error => new Error(`time: invalid duration ${JSON.stringify(text)}`);
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0;
  if (rest === '') throw fail();
  let total = 0;
  let at = 0;
  while (at < rest.length) {
    const match = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest.slice(at));
    if (!match) throw fail();
    const [whole, amount, unit = ''] = match;
    const size = units[unit];
    if (unit === '') throw new Error(`time: missing unit in duration ${JSON.stringify(text)}`);
    if (size === undefined)
      throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += Number(amount) * size;
    at += whole.length;
  }
  return sign === '-' ? -total : total;
}
