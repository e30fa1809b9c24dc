import { invalidArgument } from '#kernel';

/**
 * One object of a configuration file, read field by field. Every error names the place: `webhooks[1].url`. What nobody
 * has asked for by the time of close() is refused, so that a misspelt rule does not silently not hold.
 */
export class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #where: string;
  readonly #asked = new Set<string>();

  /** Throws invalidArgument for anything else than an object. */
  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalidArgument(`${where === '' ? 'the file' : where}: expected names and values`);
    }
    // An object's keys are texts.
    this.#value = value as Record<string, unknown>;
    this.#where = where;
  }

  has(name: string): boolean {
    this.#asked.add(name);
    return this.#value[name] !== undefined && this.#value[name] !== null;
  }

  string(name: string): string {
    const value = this.#get(name);
    if (typeof value !== 'string' || value === '') throw this.wrong(name, 'expected a text');
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#get(name);
    if (typeof value !== 'boolean') throw this.wrong(name, 'expected true or false');
    return value;
  }

  /** A whole number from `least` on. */
  count(name: string, least: number): number {
    const value = this.#get(name);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least) {
      throw this.wrong(name, `expected a whole number from ${least} on`);
    }
    return value;
  }

  /** A text or number that `parse` takes; what it throws is told with the place. */
  parsed<T>(name: string, parse: (text: string) => T): T {
    const value = this.#get(name);
    if (typeof value !== 'string' && typeof value !== 'number') throw this.wrong(name, 'expected a text');
    try {
      return parse(String(value));
    } catch (error) {
      throw this.wrong(name, error instanceof Error ? error.message : String(error));
    }
  }

  /** A list of texts; one text stands for a list of it. */
  strings(name: string): readonly string[] {
    const value = this.#get(name);
    const list: unknown = typeof value === 'string' ? [value] : value;
    if (Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === 'string')) return list;
    throw this.wrong(name, 'expected a list of texts');
  }

  /** Texts out of a set. */
  choices<T extends string>(name: string, allowed: readonly T[]): readonly T[] {
    return this.strings(name).map((text) => {
      const found = allowed.find((choice) => choice === text);
      if (found === undefined) throw this.wrong(name, `${text} is none of ${allowed.join(', ')}`);
      return found;
    });
  }

  object<T>(name: string, read: (fields: Fields) => T): T {
    return readFields(this.#get(name), this.#path(name), read);
  }

  /** A list of objects; none where the field is missing. */
  objects<T>(name: string, read: (fields: Fields) => T): readonly T[] {
    if (!this.has(name)) return [];
    return readList(this.#get(name), this.#path(name), read);
  }

  /** Throws invalidArgument for fields that nobody has asked for. */
  close(): void {
    const unknown = Object.keys(this.#value).find((name) => !this.#asked.has(name));
    if (unknown === undefined) return;
    throw this.wrong(unknown, `there is no such setting; known here: ${[...this.#asked].join(', ')}`);
  }

  wrong(name: string, problem: string): Error {
    return invalidArgument(`${this.#path(name)}: ${problem}`);
  }

  #get(name: string): unknown {
    this.#asked.add(name);
    return this.#value[name];
  }

  #path(name: string): string {
    return this.#where === '' ? name : `${this.#where}.${name}`;
  }
}

/** Reads the whole of an object. Throws invalidArgument. */
export function readFields<T>(value: unknown, where: string, read: (fields: Fields) => T): T {
  const fields = new Fields(value, where);
  const result = read(fields);
  fields.close();
  return result;
}

/** Throws invalidArgument. */
export function readList<T>(value: unknown, where: string, read: (fields: Fields) => T): readonly T[] {
  if (!Array.isArray(value)) throw invalidArgument(`${where === '' ? 'the file' : where}: expected a list`);
  return value.map((item: unknown, index) => readFields(item, `${where}[${index}]`, read));
}
