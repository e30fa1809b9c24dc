import { HclError } from '../diagnostic.ts';
import type { HclFunction } from '../eval/scope.ts';
import { ArgumentError } from '../eval/scope.ts';
import { describeRange } from '../syntax/source.ts';
import { convert } from '../values/convert.ts';
import { boolValue, stringValue, textOf } from '../values/value.ts';
import { typeConstraint } from '../eval/type-constraint.ts';
import { cidrFunctions } from './cidr.ts';
import { collectionFunctions } from './collections.ts';
import { dateFunctions } from './dates.ts';
import type { Functions } from './define.ts';
import { any, define, text } from './define.ts';
import { encodingFunctions } from './encoding.ts';
import { formatFunctions } from './format.ts';
import { numberFunctions } from './numbers.ts';
import { regexFunctions } from './regex.ts';
import { versionFits } from './semver.ts';
import { setFunctions } from './sets.ts';
import { stringFunctions } from './strings.ts';

/** What the functions know of the world. */
export interface Surroundings {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly homeFolder: string;
}

const never: HclFunction['call'] = () => {
  throw new Error('this function reads its arguments itself');
};

const can: HclFunction = {
  parameters: [any('expression')],
  call: never,
  lazy: ({ expressions, evaluate }) => {
    try {
      for (const expression of expressions) evaluate(expression);
      return boolValue(true);
    } catch (error) {
      if (error instanceof HclError) return boolValue(false);
      throw error;
    }
  },
};

const attempt: HclFunction = {
  parameters: [],
  variadic: any('expressions'),
  call: never,
  lazy: ({ expressions, evaluate }) => {
    if (expressions.length === 0) throw new Error('at least one argument is required');
    const failures: string[] = [];
    for (const expression of expressions) {
      try {
        return evaluate(expression);
      } catch (error) {
        if (!(error instanceof HclError)) throw error;
        for (const { summary, detail, range } of error.diagnostics) {
          failures.push(`- ${summary}${range ? ` (at ${describeRange(range)})` : ''}\n  ${detail}\n`);
        }
      }
    }
    throw new Error(
      `no expression succeeded:\n${failures.join('')}\nAt least one expression must produce a successful result`,
    );
  },
};

const convertFunction: HclFunction = {
  parameters: [any('value'), any('type')],
  call: never,
  lazy: ({ expressions: [value, type], evaluate }) => {
    if (!value || !type) throw new Error('a value and a type are required');
    try {
      return convert(evaluate(value), typeConstraint(type));
    } catch (error) {
      if (error instanceof HclError) throw error;
      throw new ArgumentError(0, error instanceof Error ? error.message : '');
    }
  },
};

/** No value of the language is a buffer of bytes: as in the reference, these take none. */
const bytes = (...others: readonly string[]): HclFunction =>
  define([any('buf'), ...others.map(any)], () => {
    throw new ArgumentError(0, 'bytes required');
  });

/** All functions that bake files have without defining them. */
export function standardLibrary({ now, homeFolder }: Surroundings): ReadonlyMap<string, HclFunction> {
  const general: Functions = {
    byteslen: bytes(),
    bytesslice: bytes('offset', 'length'),
    can,
    convert: convertFunction,
    homedir: define([], () => stringValue(homeFolder)),
    semvercmp: define([text('version'), text('contraint')], (version, constraint) =>
      boolValue(versionFits(textOf(version), textOf(constraint))),
    ),
    try: attempt,
  };
  return new Map(
    Object.entries({
      ...numberFunctions,
      ...stringFunctions,
      ...collectionFunctions,
      ...setFunctions,
      ...encodingFunctions,
      ...regexFunctions,
      ...formatFunctions,
      ...dateFunctions(now),
      ...cidrFunctions,
      ...general,
    }),
  );
}
