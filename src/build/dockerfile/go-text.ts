/**
 * How Go prints values. Messages and history entries of the Dockerfile language are compared by people and programs
 * with what they know, and those were printed by Go.
 */

const named: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function escaped(character: string, quote: string): string {
  if (character === quote) return `\\${quote}`;
  const short = named[character];
  if (short !== undefined) return short;
  if (printable.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000
    ? `\\u${code.toString(16).padStart(4, '0')}`
    : `\\U${code.toString(16).padStart(8, '0')}`;
}

/** `%q` of a string. */
export const quoted = (text: string): string =>
  `"${Array.from(text, (character) => escaped(character, '"')).join('')}"`;

/** `%q` of an integer: the character with that number. */
export function quotedNumber(value: number): string {
  const character = value >= 0 && value <= 0x10ffff ? String.fromCodePoint(value) : '\ufffd';
  return `'${escaped(character, "'")}'`;
}

/** `%q` of a list of strings. */
export const quotedList = (items: readonly string[]): string => `[${items.map(quoted).join(' ')}]`;

/** `%v` of a list of strings. */
export const plainList = (items: readonly string[]): string => `[${items.join(' ')}]`;

const nanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const durationPart = /^(\d*)(?:\.(\d*))?([^\d.]+)/;
const largest = 2n ** 63n;

/** One number with its unit, read from the beginning of the rest. */
function durationPiece(rest: string, text: string): { size: bigint; length: number } | { problem: string } {
  const [whole, integer = '', fraction = '', unit = ''] = durationPart.exec(rest) ?? [];
  if (whole === undefined || integer + fraction === '') {
    const lacksUnit = /^(?:\d+\.?\d*|\.\d+)$/.test(rest);
    const problem = lacksUnit ? 'missing unit in duration' : 'invalid duration';
    return { problem: `time: ${problem} ${quoted(text)}` };
  }
  const scale = nanoseconds[unit];
  if (scale === undefined) {
    return { problem: `time: unknown unit ${quoted(unit)} in duration ${quoted(text)}` };
  }
  // Digits below a nanosecond do not count.
  const digits = fraction.slice(0, 18);
  const below = digits === '' ? 0n : (BigInt(digits) * scale) / 10n ** BigInt(digits.length);
  return { size: BigInt(integer || '0') * scale + below, length: whole.length };
}

/** A duration as Go writes it (`1m30s`, `1.5h`, `-2ms`) in nanoseconds; a message where it is none. */
export function parseDuration(text: string): { nanoseconds: bigint } | { problem: string } {
  const invalid = { problem: `time: invalid duration ${quoted(text)}` };
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return { nanoseconds: 0n };
  if (rest === '') return invalid;
  let total = 0n;
  while (rest !== '') {
    const piece = durationPiece(rest, text);
    if ('problem' in piece) return piece;
    total += piece.size;
    if (total >= largest) return invalid;
    rest = rest.slice(piece.length);
  }
  return { nanoseconds: text.startsWith('-') ? -total : total };
}

function trimmedFraction(value: bigint, scale: bigint, width: number): string {
  const fraction = (value % scale).toString().padStart(width, '0').replace(/0+$/, '');
  return `${value / scale}${fraction === '' ? '' : `.${fraction}`}`;
}

/** `1m30s`, as Go's Duration prints itself. */
export function durationText(value: bigint): string {
  if (value === 0n) return '0s';
  const sign = value < 0n ? '-' : '';
  const size = value < 0n ? -value : value;
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${trimmedFraction(size, 1_000n, 3)}µs`;
  if (size < 1_000_000_000n) return `${sign}${trimmedFraction(size, 1_000_000n, 6)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = `${trimmedFraction(size % 60_000_000_000n, 1_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return `${sign}${hours > 0n ? `${hours}h` : ''}${minutes % 60n}m${seconds}`;
}

/** Go's strconv.ParseBool; undefined where it fails. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}
