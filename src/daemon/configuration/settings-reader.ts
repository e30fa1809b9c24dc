import { invalidArgument } from '#kernel';
import type { Settings } from './parse-settings.ts';
import type { SettingName } from './settings.ts';

const isList = (value: unknown): value is readonly string[] => Array.isArray(value);

/** Typed access to merged settings, whose types parse-settings.ts has checked. */
export class SettingsReader {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  given(name: SettingName): boolean {
    return this.#settings[name] !== undefined;
  }

  text(name: SettingName): string | undefined {
    const value = this.#settings[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  flag(name: SettingName, fallback: boolean): boolean {
    const value = this.#settings[name];
    return typeof value === 'boolean' ? value : fallback;
  }

  number(name: SettingName): number | undefined {
    const value = this.#settings[name];
    return typeof value === 'number' ? value : undefined;
  }

  list(name: SettingName): readonly string[] {
    const value = this.#settings[name];
    return isList(value) ? value : [];
  }

  pairs(name: SettingName): Readonly<Record<string, string>> {
    const value = this.#settings[name];
    return typeof value === 'object' && !isList(value) ? value : {};
  }

  choice<const T extends string>(name: SettingName, choices: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const chosen = choices.find((choice) => choice === value);
    if (chosen === undefined) throw invalidArgument(`invalid ${name} ${value}: use ${choices.join(' or ')}`);
    return chosen;
  }
}
