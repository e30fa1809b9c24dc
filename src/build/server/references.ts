import { invalidArgument } from '#kernel';
import type { BuildInput } from '../build-request.ts';

/**
 * What the answers to a client are known by, so that it may ask for more of them, or build on them. Done when somebody
 * needs it, and once.
 */
export class References {
  readonly #prefix: string;
  readonly #known = new Map<string, () => Promise<BuildInput>>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Answers the name. */
  add(make: () => Promise<BuildInput>): string {
    let made: Promise<BuildInput> | undefined;
    const name = `${this.#prefix}/${this.#known.size}`;
    this.#known.set(name, async () => (made ??= make()));
    return name;
  }

  /** Throws invalidArgument for a name that was not given here. */
  async get(name: string): Promise<BuildInput> {
    const make = this.#known.get(name);
    if (!make) throw invalidArgument(`no such ref: ${name}`);
    return make();
  }
}

/** Of the job that gave a reference. */
export const jobOfReference = (name: string): string => name.slice(0, name.lastIndexOf('/'));
