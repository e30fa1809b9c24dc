/** A number: `mantissa`·2^`exponent`, rounded to 512 bits after each operation; the mantissa is odd, or 0. */
export interface Decimal {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const precision = 512;
/** Further out nothing is a number of a configuration, and arithmetic would take for ever. */
const farthest = 65_536;

export const zero: Decimal = { mantissa: 0n, exponent: 0 };

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
const bitLength = (value: bigint): number => (value === 0n ? 0 : magnitude(value).toString(2).length);

function normalized(mantissa: bigint, exponent: number, inexact = false): Decimal {
  if (mantissa === 0n) return zero;
  let [bits, power] = [magnitude(mantissa), exponent];
  const excess = bitLength(bits) - precision;
  if (excess > 0) {
    const shift = BigInt(excess);
    const rest = bits & ((1n << shift) - 1n);
    const half = 1n << (shift - 1n);
    bits >>= shift;
    power += excess;
    if (rest > half || (rest === half && (inexact || (bits & 1n) === 1n))) bits += 1n;
  }
  let trailing = 0;
  while (((bits >> BigInt(trailing)) & 0xffn) === 0n) trailing += 8;
  while (((bits >> BigInt(trailing)) & 1n) === 0n) trailing += 1;
  power += trailing;
  if (Math.abs(power) > farthest) throw new RangeError('number out of range');
  bits >>= BigInt(trailing);
  return { mantissa: mantissa < 0n ? -bits : bits, exponent: power };
}

/** The quotient of two integers. */
function ratio(above: bigint, below: bigint): Decimal {
  const sign = above < 0n === below < 0n ? 1n : -1n;
  const [top, bottom] = [magnitude(above), magnitude(below)];
  const shift = Math.max(0, precision + 2 + bitLength(bottom) - bitLength(top));
  const scaled = top << BigInt(shift);
  return normalized(sign * (scaled / bottom), -shift, scaled % bottom !== 0n);
}

export const fromInteger = (value: bigint | number): Decimal => normalized(BigInt(value), 0);

/** Reads `12`, `-1.5`, `2e10`; undefined for anything else. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text);
  const [, sign = '', whole = '', fraction = '', power = '0'] = match ?? [];
  if (!match || whole + fraction === '' || text.length > 20_000) return undefined;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const exponent = Number(power) - fraction.length;
  if (Math.abs(exponent) > 19_000) return undefined;
  return exponent >= 0
    ? normalized(digits * 10n ** BigInt(exponent), 0)
    : ratio(digits, 10n ** BigInt(-exponent));
}

/** Throws a RangeError where the number is none. */
export function fromNumber(value: number): Decimal {
  const parsed = parseDecimal(String(value));
  if (!parsed) throw new RangeError('not a finite number');
  return parsed;
}

export const add = (a: Decimal, b: Decimal): Decimal => {
  const exponent = Math.min(a.exponent, b.exponent);
  return normalized(aligned(a, exponent) + aligned(b, exponent), exponent);
};
const aligned = ({ mantissa, exponent }: Decimal, to: number): bigint =>
  mantissa === 0n ? 0n : mantissa << BigInt(exponent - to);

export const negate = ({ mantissa, exponent }: Decimal): Decimal => ({ mantissa: -mantissa, exponent });
export const subtract = (a: Decimal, b: Decimal): Decimal => add(a, negate(b));
export const multiply = (a: Decimal, b: Decimal): Decimal =>
  normalized(a.mantissa * b.mantissa, a.exponent + b.exponent);

/** The divisor is not 0. */
export function divide(a: Decimal, b: Decimal): Decimal {
  const quotient = ratio(a.mantissa, b.mantissa);
  return normalized(quotient.mantissa, quotient.exponent + a.exponent - b.exponent);
}

/** What is left of `a` after `b` as often as it fits; has the sign of `a`. */
export const remainder = (a: Decimal, b: Decimal): Decimal =>
  subtract(a, multiply(b, truncate(divide(a, b))));

export const compare = (a: Decimal, b: Decimal): number => {
  const { mantissa } = subtract(a, b);
  return mantissa < 0n ? -1 : mantissa > 0n ? 1 : 0;
};

export const isInteger = ({ exponent }: Decimal): boolean => exponent >= 0;

/** Toward zero. */
export function toInteger({ mantissa, exponent }: Decimal): bigint {
  if (exponent >= 0) return mantissa << BigInt(exponent);
  const whole = magnitude(mantissa) >> BigInt(-exponent);
  return mantissa < 0n ? -whole : whole;
}

export const truncate = (value: Decimal): Decimal => fromInteger(toInteger(value));

export function floor(value: Decimal): Decimal {
  const whole = truncate(value);
  return compare(whole, value) > 0 ? subtract(whole, fromInteger(1)) : whole;
}

export const ceiling = (value: Decimal): Decimal => negate(floor(negate(value)));

export const toNumber = (value: Decimal): number => Number(formatDecimal(value));

/** Decimal digits and the power of ten of the first: the shortest that stand for this number and no other. */
export function shortestDigits(value: Decimal): { readonly digits: string; readonly power: number } {
  if (value.mantissa === 0n) return { digits: '0', power: 0 };
  const positive = { ...value, mantissa: magnitude(value.mantissa) };
  if (isInteger(positive)) {
    const digits = toInteger(positive).toString();
    return { digits: digits.replace(/0+$/, ''), power: digits.length - 1 };
  }
  // The exact expansion: an odd mantissa over a power of two ends after as many decimal places.
  const places = -positive.exponent;
  const exact = (positive.mantissa * 5n ** BigInt(places)).toString();
  const power = exact.length - 1 - places;
  for (let length = 1; length < exact.length && length <= 160; length += 1) {
    const rounded = roundDigits(exact, length);
    const shift = power - (length - 1);
    const again =
      shift >= 0 ? normalized(rounded * 10n ** BigInt(shift), 0) : ratio(rounded, 10n ** BigInt(-shift));
    if (again.mantissa === positive.mantissa && again.exponent === positive.exponent) {
      const digits = rounded.toString();
      return { digits: digits.replace(/0+$/, ''), power: power + digits.length - length };
    }
  }
  return { digits: exact.replace(/0+$/, ''), power };
}

/** The first `length` digits, the last one rounded, half to even. */
function roundDigits(exact: string, length: number): bigint {
  const kept = BigInt(exact.slice(0, length));
  const rest = exact.slice(length);
  const half = rest[0] === '5' && /^50*$/.test(rest);
  const up = half ? (kept & 1n) === 1n : (rest[0] ?? '0') >= '5';
  return up ? kept + 1n : kept;
}

/** Without an exponent: `1.5`, `0.001`, `100`. */
export function formatDecimal(value: Decimal): string {
  const { digits, power } = shortestDigits(value);
  const sign = value.mantissa < 0n ? '-' : '';
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0');
  const fraction = digits.slice(power + 1);
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Rounded to so many places after the point, half to even on the exact value. */
export function formatFixed(value: Decimal, places: number): string {
  const sign = value.mantissa < 0n ? '-' : '';
  const scaled = magnitude(value.mantissa) * 10n ** BigInt(places);
  let whole: bigint;
  if (value.exponent >= 0) whole = scaled << BigInt(value.exponent);
  else {
    const shift = BigInt(-value.exponent);
    whole = scaled >> shift;
    const rest = scaled & ((1n << shift) - 1n);
    const half = 1n << (shift - 1n);
    if (rest > half || (rest === half && (whole & 1n) === 1n)) whole += 1n;
  }
  const digits = whole.toString().padStart(places + 1, '0');
  return places === 0 ? sign + digits : `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
