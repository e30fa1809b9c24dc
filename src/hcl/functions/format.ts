import { messageOf } from '#kernel';
import { ArgumentError } from '../eval/scope.ts';
import { countCharacters, splitCharacters } from '../syntax/source.ts';
import { convert } from '../values/convert.ts';
import type { Decimal } from '../values/decimal.ts';
import { formatFixed, isInteger, shortestDigits, toInteger, toNumber } from '../values/decimal.ts';
import { jsonString, toJson } from '../values/json.ts';
import type { Type, Value } from '../values/value.ts';
import {
  boolType,
  decimalOf,
  isSequence,
  itemsOf,
  listValue,
  numberType,
  stringType,
  stringValue,
  textOf,
} from '../values/value.ts';
import type { Functions } from './define.ts';
import { anyOrNull, text, variadic } from './define.ts';

interface Verb {
  readonly raw: string;
  readonly offset: number;
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly letter: string;
}

const sequence = /%(%|([ +\-#0]*)(\d{1,4})?(?:\.(\d{1,4}))?(?:\[(\d{1,6})\])?(.)?)/gsu;

/** What `format` makes of a text and its arguments. Throws errors that end a sentence. */
function formatText(source: string, args: readonly Value[]): string {
  const positions = { next: 0, highest: 0, explicit: false };
  const result = source.replace(sequence, (...parts: (string | number | undefined)[]) => {
    const [raw, all, flags, width, precision, index, letter, offset] = parts;
    if (all === '%') return '%';
    const at = Buffer.byteLength(source.slice(0, Number(offset)));
    if (letter === undefined)
      throw new Error(`unrecognized format character at offset ${at}: unterminated sequence`);
    if (index !== undefined) {
      positions.next = Number(index) - 1;
      positions.explicit = true;
    }
    const verb: Verb = {
      raw: String(raw),
      offset: at,
      flags: String(flags),
      width: width === undefined ? undefined : Number(width),
      precision: precision === undefined ? undefined : Number(precision),
      letter: String(letter),
    };
    const value = args[positions.next];
    if (!value) {
      throw new Error(
        `not enough arguments for ${JSON.stringify(verb.raw)} at ${at}: need index ${positions.next + 1} but have ${args.length} total`,
      );
    }
    positions.next += 1;
    positions.highest = Math.max(positions.highest, positions.next);
    return formatVerb(verb, value);
  });
  if (!positions.explicit && positions.highest < args.length) {
    const used =
      positions.highest === 0
        ? 'no verbs in format string'
        : `only ${positions.highest} used by format string`;
    throw new ArgumentError(positions.highest + 1, `too many arguments; ${used}`);
  }
  return result;
}

function formatVerb(verb: Verb, value: Value): string {
  const fail = (why: string): Error =>
    new Error(`unsupported value for ${JSON.stringify(verb.raw)} at ${verb.offset}: ${why}`);
  if (value.data === null && verb.letter !== 'v') throw fail('null value cannot be formatted');
  const as = (type: Type): Value => {
    try {
      return convert(value, type);
    } catch (error) {
      throw fail(messageOf(error));
    }
  };
  if (verb.letter === 'v') return pad(verb, plain(verb, value));
  if (verb.letter === 't') return as(boolType).data === true ? 'true' : 'false';
  if (verb.letter === 's' || verb.letter === 'q') {
    const characters = textOf(as(stringType));
    const cut = verb.precision ? splitCharacters(characters).slice(0, verb.precision).join('') : characters;
    return pad(verb, verb.letter === 'q' ? jsonString(cut) : cut);
  }
  if (/[bdoxX]/.test(verb.letter)) {
    const number = decimalOf(as(numberType));
    if (!isInteger(number)) throw fail('an integer is required');
    return padNumber(verb, integer(verb, toInteger(number)));
  }
  if (/[eEfgG]/.test(verb.letter)) return padNumber(verb, float(verb, decimalOf(as(numberType))));
  throw new Error(
    `unsupported format verb '${verb.letter}' in ${JSON.stringify(verb.raw)} at offset ${verb.offset}`,
  );
}

function plain(verb: Verb, value: Value): string {
  if (value.data !== null && !verb.flags.includes('#')) {
    if (value.type.kind === 'string') return textOf(value);
    if (value.type.kind === 'number') return general(decimalOf(value), undefined, false);
  }
  return toJson(value);
}

function pad({ width = 0, flags }: Verb, shown: string): string {
  const missing = width - countCharacters(shown);
  if (missing <= 0) return shown;
  const filler = (flags.includes('0') ? '0' : ' ').repeat(missing);
  return flags.includes('-') ? shown + filler : filler + shown;
}

/** Zeros go between the sign and the digits. */
function padNumber({ width = 0, flags }: Verb, shown: string): string {
  const sign = /^[-+ ]/.exec(shown)?.[0] ?? '';
  const signed =
    sign !== '' ? shown : flags.includes('+') ? `+${shown}` : flags.includes(' ') ? ` ${shown}` : shown;
  const missing = width - signed.length;
  if (missing <= 0) return signed;
  if (flags.includes('-')) return signed + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + signed;
  const front = /^[-+ ]/.exec(signed)?.[0] ?? '';
  return front + '0'.repeat(missing) + signed.slice(front.length);
}

function integer({ letter, flags, precision = 0 }: Verb, value: bigint): string {
  const base = { b: 2, o: 8, x: 16, X: 16 }[letter] ?? 10;
  const digits = (value < 0n ? -value : value).toString(base).padStart(precision, '0');
  const prefix = flags.includes('#') ? ({ b: '0b', o: '0', x: '0x', X: '0X' }[letter] ?? '') : '';
  return `${value < 0n ? '-' : ''}${prefix}${letter === 'X' ? digits.toUpperCase() : digits}`;
}

function float({ letter, precision }: Verb, value: Decimal): string {
  if (letter === 'f') return formatFixed(value, precision ?? 6);
  if (letter === 'e' || letter === 'E') return exponential(toNumber(value), precision ?? 6, letter === 'E');
  return general(value, precision, letter === 'G');
}

function exponential(value: number, places: number, upper: boolean): string {
  const [mantissa = '', power = '+0'] = value.toExponential(Math.min(places, 100)).split('e');
  return `${mantissa}${upper ? 'E' : 'e'}${power.slice(0, 1)}${power.slice(1).padStart(2, '0')}`;
}

/** Go's %g: an exponent where it is below -4 or beyond the digits (21 for the shortest form). */
function general(value: Decimal, precision: number | undefined, upper: boolean): string {
  const sign = value.mantissa < 0n ? '-' : '';
  let { digits, power } = shortestDigits(value);
  if (precision !== undefined && digits.length > Math.max(precision, 1)) {
    const [mantissa = '', exponent = '0'] = Math.abs(toNumber(value))
      .toExponential(Math.max(precision, 1) - 1)
      .split('e');
    digits = mantissa.replace('.', '').replace(/0+$/, '') || '0';
    power = Number(exponent);
  }
  const limit = precision === undefined ? 21 : Math.max(precision, 1);
  if (power < -4 || power >= limit) {
    const fraction = digits.slice(1);
    const shown = Math.abs(power).toString().padStart(2, '0');
    return `${sign}${digits.slice(0, 1)}${fraction === '' ? '' : `.${fraction}`}${upper ? 'E' : 'e'}${power < 0 ? '-' : '+'}${shown}`;
  }
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0');
  const fraction = digits.slice(power + 1);
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

const formatlist = variadic([text('format')], anyOrNull('args'), (format, ...args) => {
  const isMany = (value: Value): boolean => value.data !== null && isSequence(value.type);
  const many = args.map((value, at) => ({ value, at })).filter(({ value }) => isMany(value));
  const [first] = many;
  const count = first ? itemsOf(first.value).length : 1;
  for (const { value, at } of many) {
    const { length } = itemsOf(value);
    if (first && length !== count) {
      throw new ArgumentError(
        at + 1,
        `argument ${at + 1} has length ${length}, which is inconsistent with argument ${first.at + 1} of length ${count}`,
      );
    }
  }
  const results = Array.from({ length: count }, (_, row) => {
    const values = args.flatMap((value) => (isMany(value) ? (itemsOf(value)[row] ?? []) : [value]));
    try {
      return stringValue(formatText(textOf(format), values));
    } catch (error) {
      throw new Error(`error on format iteration ${row}: ${messageOf(error)}`, { cause: error });
    }
  });
  return listValue(results, stringType);
});

/** printf's kin. */
export const formatFunctions: Functions = {
  format: variadic([text('format')], anyOrNull('args'), (format, ...args) =>
    stringValue(formatText(textOf(format), args)),
  ),
  formatlist,
};
