import { encodeJson } from './json.ts';
import { formatValue, isObject, typeName } from './go-value.ts';
import { quote } from './quote.ts';

/** fmt.Sprintf for the values that templates know. */
export function sprintf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])/g,
    (
      match: string,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      verb: string,
    ) => {
      if (verb === '%') return '%';
      const hasPrecision = match.includes('.');
      const columns = width === '*' ? Number(args[next++]) : Number(width ?? 0);
      const digits =
        precision === '*' ? Number(args[next++]) : hasPrecision ? Number(precision ?? 0) : undefined;
      if (next >= args.length) return `%!${verb}(MISSING)`;
      return pad(formatVerb(verb, flags, digits, args[next++]), columns, flags);
    },
  );
  if (next >= args.length) return text;
  const extra = args.slice(next).map((arg) => `${typeName(arg)}=${formatValue(arg)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function pad(text: string, width: number, flags: string): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function formatVerb(verb: string, flags: string, digits: number | undefined, value: unknown): string {
  if (verb === 'v') return flags.includes('#') ? goSyntax(value) : formatValue(value);
  if (verb === 'T') return typeName(value);
  if (typeof value === 'number') return formatNumber(verb, flags, digits, value) ?? wrong(verb, value);
  if (typeof value === 'string') return formatString(verb, digits, value) ?? wrong(verb, value);
  if (typeof value === 'boolean') return verb === 't' ? String(value) : wrong(verb, value);
  if (Array.isArray(value)) {
    return `[${value.map((item) => formatVerb(verb, flags, digits, item)).join(' ')}]`;
  }
  return isObject(value) && verb === 's' ? formatValue(value) : wrong(verb, value);
}

const goSyntax = (value: unknown): string => (typeof value === 'string' ? quote(value) : encodeJson(value));

const wrong = (verb: string, value: unknown): string =>
  value === null || value === undefined
    ? `%!${verb}(<nil>)`
    : `%!${verb}(${typeName(value)}=${formatValue(value)})`;

function formatString(verb: string, digits: number | undefined, value: string): string | undefined {
  const cut = digits === undefined ? value : Array.from(value).slice(0, digits).join('');
  switch (verb) {
    case 's':
      return cut;
    case 'q':
      return quote(cut);
    case 'x':
      return Buffer.from(cut).toString('hex');
    case 'X':
      return Buffer.from(cut).toString('hex').toUpperCase();
    default:
      return undefined;
  }
}

const radixes: Readonly<Record<string, number>> = { d: 10, x: 16, X: 16, o: 8, b: 2 };
const prefixes: Readonly<Record<string, string>> = { x: '0x', X: '0X', o: '0' };

function formatNumber(
  verb: string,
  flags: string,
  digits: number | undefined,
  value: number,
): string | undefined {
  const sign = value < 0 ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const magnitude = Math.abs(value);
  const radix = radixes[verb];
  if (radix === undefined) return formatRune(verb, value) ?? formatReal(verb, sign, magnitude, digits);
  if (!Number.isInteger(value)) return undefined;
  const text = BigInt(magnitude)
    .toString(radix)
    .padStart(digits ?? 0, '0');
  const prefix = flags.includes('#') ? (prefixes[verb] ?? '') : '';
  return sign + prefix + (verb === 'X' ? text.toUpperCase() : text);
}

function formatRune(verb: string, value: number): string | undefined {
  if (verb === 'c') return String.fromCodePoint(value);
  if (verb === 'q') return `'${String.fromCodePoint(value)}'`;
  return verb === 'U' ? `U+${value.toString(16).toUpperCase().padStart(4, '0')}` : undefined;
}

function formatReal(
  verb: string,
  sign: string,
  magnitude: number,
  digits: number | undefined,
): string | undefined {
  switch (verb) {
    case 'f':
    case 'F':
      return sign + magnitude.toFixed(digits ?? 6);
    case 'e':
      return sign + magnitude.toExponential(digits ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
    case 'g':
      return (
        sign + (digits === undefined ? String(magnitude) : String(Number(magnitude.toPrecision(digits || 1))))
      );
    default:
      return undefined;
  }
}
