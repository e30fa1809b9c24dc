import { invalidArgument } from '#kernel';
import { Filters } from './filters.ts';

/** A request's query, read as Docker reads it. Immutable. */
export class Query {
  readonly #values: URLSearchParams;

  constructor(text: string | URLSearchParams) {
    this.#values = typeof text === 'string' ? new URLSearchParams(text) : text;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The first value, '' when it is missing. */
  text(name: string): string {
    return this.#values.get(name) ?? '';
  }

  all(name: string): readonly string[] {
    return this.#values.getAll(name);
  }

  /** Everything but '', 0, no, false and none (in any case) is true. */
  boolean(name: string): boolean {
    return !/^(?:0|no|false|none)?$/i.test(this.text(name).trim());
  }

  /** A decimal integer, or undefined when it is missing or empty. Throws invalidArgument. */
  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    if (!/^[+-]?\d+$/.test(text)) {
      throw invalidArgument(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    return Number(text);
  }

  /** Nanoseconds since the epoch from `seconds[.fraction]`; undefined when missing or empty. Throws invalidArgument. */
  time(name: string): bigint | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const match = /^([+-]?\d+)(?:\.(\d+))?$/.exec(text);
    if (!match?.[1]) {
      throw invalidArgument(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    return BigInt(match[1]) * 1_000_000_000n + BigInt((match[2] ?? '').slice(0, 9).padEnd(9, '0'));
  }

  /** The `filters`, of which only `known` ones may appear (undefined: any). Throws invalidArgument. */
  filters(known: readonly string[] | undefined): Filters {
    const filters = Filters.parse(this.text('filters'));
    if (known) filters.allow(known);
    return filters;
  }

  with(name: string, value: string): Query {
    const values = new URLSearchParams(this.#values);
    values.set(name, value);
    return new Query(values);
  }

  without(name: string): Query {
    if (!this.has(name)) return this;
    const values = new URLSearchParams(this.#values);
    values.delete(name);
    return new Query(values);
  }

  /** With one more value of a filter. */
  withFilter(name: string, value: string): Query {
    return this.with('filters', Filters.parse(this.text('filters')).with(name, value).toString());
  }
}
