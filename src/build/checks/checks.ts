import { DockerfileError } from '../dockerfile/location.ts';
import type { Location } from '../dockerfile/location.ts';
import { noCheckOptions } from './check-options.ts';
import type { CheckOptions } from './check-options.ts';
import { rules } from './rules.ts';
import type { Rule, RuleName } from './rules.ts';

/** Something about a file that keeps nobody from building it. */
export interface BuildWarning {
  readonly rule: { readonly name: string; readonly description: string; readonly url: string };
  /** What is wrong here. */
  readonly message: string;
  readonly location: Location;
}

/** A warning of the language's checks. */
export interface CheckWarning extends BuildWarning {
  readonly rule: Rule;
}

/** Takes warnings as they are found; keeps those that the options let through. */
export class Checks {
  readonly #options: CheckOptions;
  readonly #warnings: CheckWarning[] = [];

  constructor(options: CheckOptions = noCheckOptions) {
    this.#options = options;
  }

  report(name: RuleName, location: Location, message: string): void {
    const rule = rules[name];
    const chosen = this.#options[rule.experimental ? 'experimental' : 'skip'];
    const listed = chosen === 'all' || chosen.has(name);
    if (listed === rule.experimental) this.#warnings.push({ rule, message, location });
  }

  get warnings(): readonly CheckWarning[] {
    return this.#warnings;
  }

  /** Throws where `error=true` was said and something was found. */
  throwIfRequired(): void {
    if (!this.#options.error || this.#warnings.length === 0) return;
    const names = [...new Set(this.#warnings.map(({ rule }) => rule.name))];
    throw new DockerfileError(`lint violation found for rules: ${names.join(', ')}`);
  }
}
