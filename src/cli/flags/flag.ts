import { parseDuration, formatDuration } from '../format/duration.ts';
import { parseBinarySize } from '../format/units.ts';

/** What one option of a command accepts. `T` is the type of its value. */
export interface Flag<T> {
  /** The word for the value in help texts; empty for switches. */
  readonly type: string;
  readonly usage: string;
  readonly initial: T;
  readonly short?: string;
  /** The default as help shows it; empty: not worth showing. */
  readonly shown: string;
  /** The value if the option stands alone, as switches do. */
  readonly bare?: string;
  readonly hidden?: boolean;
  /** Printed to stderr when the option is used. */
  readonly deprecated?: string;
  /** Other names of the option, not shown. */
  readonly also?: readonly string[];
  /** Takes one occurrence; `before` is the value so far. Throws an error that says what is wrong with the text. */
  parse(text: string, before: T): T;
}

export interface FlagOptions<T> {
  readonly short?: string;
  readonly initial?: T;
  readonly shown?: string;
  readonly type?: string;
  readonly hidden?: boolean;
  readonly deprecated?: string;
  readonly also?: readonly string[];
  readonly bare?: string;
}

function flag<T>(
  type: string,
  usage: string,
  initial: T,
  parse: (text: string, before: T) => T,
  options: FlagOptions<T>,
): Flag<T> {
  return { type, usage, initial, shown: '', parse, ...options };
}

/** A switch: `--x`, `--x=false`. */
export const bool = (usage: string, options: FlagOptions<boolean> = {}): Flag<boolean> =>
  flag('', usage, false, parseBool, {
    bare: 'true',
    shown: options.initial === true ? 'true' : '',
    ...options,
  });

export const string = (usage: string, options: FlagOptions<string> = {}): Flag<string> =>
  flag('string', usage, '', (text) => text, {
    shown: options.initial === undefined || options.initial === '' ? '' : `"${options.initial}"`,
    ...options,
  });

const integer =
  (kind: 'Int' | 'Uint', bits: 16 | 64) =>
  (usage: string, options: FlagOptions<number> = {}): Flag<number> =>
    flag(kind === 'Int' ? 'int' : `uint${bits}`, usage, 0, (text) => parseInteger(text, kind, bits), {
      shown: options.initial === undefined || options.initial === 0 ? '' : String(options.initial),
      ...options,
    });

export const int = integer('Int', 64);
export const uint16 = integer('Uint', 16);
export const uint64 = integer('Uint', 64);

/** Repeats; each occurrence adds a value, after `check` has passed or rewritten it. */
export const list = (
  usage: string,
  options: FlagOptions<readonly string[]> & { check?: (text: string) => string } = {},
): Flag<readonly string[]> => {
  const { check = (text: string) => text, ...rest } = options;
  return flag<readonly string[]>('list', usage, [], (text, before) => [...before, check(text)], rest);
};

/** Repeats and splits at commas. */
export const strings = (
  usage: string,
  options: FlagOptions<readonly string[]> = {},
): Flag<readonly string[]> =>
  flag<readonly string[]>('strings', usage, [], (text, before) => [...before, ...text.split(',')], options);

/** Repeats `name=value`; of two occurrences of a name the last one counts. */
export const map = (
  usage: string,
  options: FlagOptions<Readonly<Record<string, string>>> & { check?: (text: string) => string } = {},
): Flag<Readonly<Record<string, string>>> => {
  const { check = (text: string) => text, ...rest } = options;
  return flag<Readonly<Record<string, string>>>(
    'map',
    usage,
    {},
    (text, before) => {
      const [name = '', ...value] = check(text).split('=');
      return { ...before, [name]: value.join('=') };
    },
    { shown: 'map[]', ...rest },
  );
};

/** Repeated `key=value` conditions of a list; values by key. */
export const filter = (usage: string, options: FlagOptions<Filter> = {}): Flag<Filter> =>
  flag<Filter>(
    'filter',
    usage,
    {},
    (text, before) => {
      if (text === '') return before;
      const at = text.indexOf('=');
      if (at < 0) throw new Error('bad format of filter (expected name=value)');
      const name = text.slice(0, at).trim().toLowerCase();
      return { ...before, [name]: [...(before[name] ?? []), text.slice(at + 1).trim()] };
    },
    { short: 'f', ...options },
  );

export type Filter = Readonly<Record<string, readonly string[]>>;

/** A size in bytes, with Docker's suffixes. */
export const bytes = (usage: string, options: FlagOptions<number> = {}): Flag<number> =>
  flag('bytes', usage, 0, parseBinarySize, options);

/** As bytes(), and -1 for no limit. */
export const swapBytes = (usage: string, options: FlagOptions<number> = {}): Flag<number> =>
  flag('bytes', usage, 0, (text) => (text === '-1' ? -1 : parseBinarySize(text)), options);

/** A span in Go's syntax; nanoseconds. */
export const duration = (usage: string, options: FlagOptions<bigint> = {}): Flag<bigint> =>
  flag('duration', usage, 0n, parseDuration, { shown: formatDuration(options.initial ?? 0n), ...options });

/** A decimal number of CPUs; in billionths. */
export const cpus = (usage: string, options: FlagOptions<number> = {}): Flag<number> =>
  flag('decimal', usage, 0, parseCpus, options);

export function parseCpus(text: string): number {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text);
  const [, sign = '', whole = '', fraction = ''] = match ?? [];
  if (!match || whole + fraction === '') throw new Error(`failed to parse ${text} as a rational number`);
  if (/[1-9]/.test(fraction.slice(9))) throw new Error('value is too precise');
  const nanos = Number(whole || '0') * 1e9 + Number(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -nanos : nanos;
}

export function parseBool(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function parseInteger(text: string, kind: 'Int' | 'Uint', bits: 16 | 64): number {
  const failed = (why: string): Error =>
    new Error(`strconv.Parse${kind}: parsing ${JSON.stringify(text)}: ${why}`);
  const digits = text.replace(/^[+-]/, '');
  const signed =
    kind === 'Int'
      ? /^[+-]?(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)$/
      : /^(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)$/;
  if (!signed.test(text)) throw failed('invalid syntax');
  const magnitude = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = text.startsWith('-') ? -magnitude : magnitude;
  const fits = kind === 'Int' ? BigInt.asIntN(bits, value) === value : BigInt.asUintN(bits, value) === value;
  if (!fits) throw failed('value out of range');
  return Number(value);
}
