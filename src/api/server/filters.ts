import { invalidArgument } from '#kernel';

/** The `filters` of a list or prune request: values by name, in either of the two wire forms. Immutable. */
export class Filters {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  private constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** Reads `{"label":{"a=b":true}}` and `{"label":["a=b"]}`; '' is none. Throws invalidArgument `invalid filter`. */
  static parse(text: string): Filters {
    if (text === '') return new Filters(new Map());
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw invalidArgument('invalid filter', error);
    }
    if (json === null) return new Filters(new Map());
    if (typeof json !== 'object' || Array.isArray(json)) throw invalidArgument('invalid filter');
    const entries = Object.entries(json).map(
      ([name, values]: [string, unknown]) => [name, valuesOf(values)] as const,
    );
    return new Filters(new Map(entries));
  }

  /** Throws invalidArgument for a name that is not among the known ones. */
  allow(known: readonly string[]): void {
    for (const name of this.#values.keys()) {
      if (!known.includes(name)) throw invalidArgument(`invalid filter '${name}'`);
    }
  }

  has(name: string): boolean {
    return this.all(name).length > 0;
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** One boolean, undefined when it is not given. Throws invalidArgument for anything else. */
  boolean(name: string): boolean | undefined {
    const values = this.all(name);
    if (values.length === 0) return undefined;
    const meanings = new Set(values.map((value) => booleans.get(value)));
    const [meaning] = meanings;
    if (meanings.size !== 1 || meaning === undefined) {
      throw invalidArgument(`invalid filter '${name}=[${values.join(' ')}]'`);
    }
    return meaning;
  }

  /** Whether nothing is asked of the field or one of the values is it. */
  exact(name: string, field: string): boolean {
    return !this.has(name) || this.all(name).includes(field);
  }

  /** Like exact(), also with the start of the field. */
  prefix(name: string, field: string): boolean {
    return !this.has(name) || this.all(name).some((value) => field.startsWith(value));
  }

  /** Like exact(), also with a regular expression that fits part of the field. */
  pattern(name: string, ...fields: readonly string[]): boolean {
    if (!this.has(name)) return true;
    return this.all(name).some((value) => {
      if (fields.includes(value)) return true;
      const expression = compile(value);
      return expression !== undefined && fields.some((field) => expression.test(field));
    });
  }

  /** Whether the labels have every `label` and none of the `label!` (`name` or `name=value`). */
  labels(labels: Readonly<Record<string, string>> | null | undefined): boolean {
    const has = (wanted: string): boolean => {
      const mark = wanted.indexOf('=');
      const name = mark < 0 ? wanted : wanted.slice(0, mark);
      const found = labels && Object.hasOwn(labels, name) ? labels[name] : undefined;
      return found !== undefined && (mark < 0 || found === wanted.slice(mark + 1));
    };
    return this.all('label').every(has) && !this.all('label!').some(has);
  }

  with(name: string, value: string): Filters {
    return new Filters(new Map(this.#values).set(name, [...this.all(name), value]));
  }

  without(name: string): Filters {
    const values = new Map(this.#values);
    values.delete(name);
    return new Filters(values);
  }

  /** The list form. */
  toString(): string {
    return JSON.stringify(Object.fromEntries(this.#values));
  }
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['true', true],
  ['0', false],
  ['false', false],
]);

function valuesOf(values: unknown): readonly string[] {
  if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values;
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
    const entries: [string, unknown][] = Object.entries(values);
    if (entries.every(([, value]) => typeof value === 'boolean')) return entries.map(([value]) => value);
  }
  if (values === null) return [];
  throw invalidArgument('invalid filter');
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}
