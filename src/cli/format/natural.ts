import { compareBytes } from './go-value.ts';

/** Orders texts with numbers in them as people do: `a2` before `a10`, everything else by its bytes. */
export function compareNatural(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [one = '', two = ''] = [left[at], right[at]];
    if (one === two) continue;
    if (/^\d/.test(one) && /^\d/.test(two) && Number(one) !== Number(two)) return Number(one) - Number(two);
    return compareBytes(one, two);
  }
  return left.length - right.length;
}
