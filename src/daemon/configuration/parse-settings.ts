import { parseArgs } from 'node:util';
import { invalidArgument, messageOf } from '#kernel';
import { refusedSettings, refuseSetting, type RefusedSetting } from './refused-settings.ts';
import { settings, type Setting, type SettingName } from './settings.ts';

type Value = string | boolean | number | readonly string[] | Readonly<Record<string, string>>;
export type Settings = Readonly<Partial<Record<SettingName, Value>>>;

const entries: readonly (readonly [SettingName, Setting])[] = Object.entries(settings).map(
  // The table's own keys.
  ([name, setting]) => [name as SettingName, setting],
);

export interface ParsedFlags {
  readonly settings: Settings;
  readonly configFile: string | undefined;
  readonly help: boolean;
  readonly version: boolean;
  readonly validate: boolean;
}

/** Reads the command line. `--flag`, `--flag=true`, `--flag=false` for switches. Throws invalidArgument. */
export function parseFlags(args: readonly string[]): ParsedFlags {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }> = {
    'config-file': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'v' },
    validate: { type: 'boolean' },
  };
  for (const setting of [...entries.map(([, each]) => each), ...refusedSettings]) {
    if (setting.flag === undefined) continue;
    options[setting.flag] = {
      type: setting.kind === 'flag' ? 'boolean' : 'string',
      multiple: setting.kind === 'list' || setting.kind === 'pairs',
      ...(setting.short !== undefined && { short: setting.short }),
    };
  }
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({ args: args.map(negated), options, strict: true, allowNegative: true }));
  } catch (error) {
    throw invalidArgument(`${messageOf(error).split('.')[0] ?? ''}: see wharfd --help`, error);
  }
  for (const setting of refusedSettings) {
    if (setting.flag !== undefined) refuseSetting(setting, `--${setting.flag}`, values[setting.flag]);
  }
  const parsed: Partial<Record<SettingName, Value>> = {};
  for (const [name, setting] of entries) {
    const value = values[setting.flag];
    if (value !== undefined) parsed[name] = fromFlag(setting, value);
  }
  const file = values['config-file'];
  return {
    settings: parsed,
    configFile: typeof file === 'string' ? file : undefined,
    help: values['help'] === true,
    version: values['version'] === true,
    validate: values['validate'] === true,
  };
}

const switches = new Set(
  [...entries.map(([, setting]) => setting), ...refusedSettings]
    .filter(({ kind }) => kind === 'flag')
    .map((setting) => setting.flag),
);

/** `--debug=false` → `--no-debug`, `--debug=true` → `--debug`. */
function negated(argument: string): string {
  const match = /^--([a-z0-9-]+)=(true|false|1|0)$/.exec(argument);
  if (!match?.[1] || !switches.has(match[1])) return argument;
  return match[2] === 'true' || match[2] === '1' ? `--${match[1]}` : `--no-${match[1]}`;
}

function fromFlag(setting: Setting, value: unknown): Value {
  if (typeof value === 'boolean') return value;
  if (Array.isArray(value)) {
    const texts = value.map(String);
    return setting.kind === 'pairs' ? pairsOf(setting, texts) : texts;
  }
  return setting.kind === 'number' ? numberOf(setting, value) : String(value);
}

function numberOf(setting: Setting, value: unknown): number {
  const number = Number(value);
  if (!Number.isInteger(number))
    throw invalidArgument(`--${setting.flag}: ${String(value)} is not a whole number`);
  return number;
}

function pairsOf(setting: Setting, texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at <= 0) throw invalidArgument(`--${setting.flag}: ${text} is not KEY=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** How every complaint about the file begins, in dockerd's words. */
export const inFile = (path: string): string => `unable to configure the Docker daemon with file ${path}: `;

/** Reads the text of daemon.json; an empty file sets nothing. Throws invalidArgument that names the file and the key. */
export function parseFile(path: string, json: string): Settings {
  if (json.trim() === '') return {};
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (error) {
    throw invalidArgument(`${inFile(path)}invalid JSON: ${messageOf(error)}`, error);
  }
  if (!isObject(document)) throw invalidArgument(`${inFile(path)}it is not a JSON object`);
  const parsed: Partial<Record<SettingName, Value>> = {};
  const unknown: string[] = [];
  const read = (key: string, value: unknown, parent: string | undefined): void => {
    if (parent === undefined && parents.has(key) && isObject(value)) {
      for (const [inner, member] of Object.entries(value)) read(inner, member, key);
      return;
    }
    const found = entries.find(([, setting]) => keyOf(setting) === key && setting.parent === parent);
    const refused = refusedSettings.find((setting) => keyOf(setting) === key && parent === undefined);
    if (found) parsed[found[0]] = fromJson(path, key, found[1], value);
    else if (refused) refuseSetting(refused, `${inFile(path)}${key}`, value);
    else unknown.push(key);
  };
  for (const [key, value] of Object.entries(document)) read(key, value, undefined);
  if (unknown.length > 0) {
    const names = unknown.join(', ');
    throw invalidArgument(
      `${inFile(path)}the following directives don't match any configuration option: ${names}`,
    );
  }
  return parsed;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Objects of daemon.json that hold settings. */
const parents = new Set(entries.flatMap(([, { parent }]: readonly [SettingName, Setting]) => parent ?? []));

const keyOf = (setting: Setting | RefusedSetting): string | undefined => setting.key ?? setting.flag;

function fromJson(path: string, key: string, setting: Setting, value: unknown): Value {
  const wrong = (): never => {
    throw invalidArgument(`${inFile(path)}invalid JSON: ${key} has the wrong type`);
  };
  switch (setting.kind) {
    case 'text':
      return typeof value === 'string' ? value : wrong();
    case 'flag':
      return typeof value === 'boolean' ? value : wrong();
    case 'number':
      return typeof value === 'number' && Number.isInteger(value) ? value : wrong();
    case 'list':
      return listOf(value) ?? wrong();
    case 'pairs': {
      if (typeof value !== 'object' || value === null) return wrong();
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, textOf(item)]));
    }
  }
}

/** Objects stay JSON, for those settings that know how to read them. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A list of texts; objects (address pools, ulimits) become the flag's `key=value,…` form. */
function listOf(value: unknown): readonly string[] | undefined {
  if (Array.isArray(value)) {
    return value.map((item: unknown) =>
      typeof item === 'object' && item !== null
        ? Object.entries(item)
            .map(([key, member]) => `${key}=${String(member)}`)
            .join(',')
        : String(item),
    );
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).map(([name, limit]) => {
    const { Soft, Hard } = limit as { Soft?: number; Hard?: number };
    return `${name}=${Soft ?? Hard ?? 0}:${Hard ?? Soft ?? 0}`;
  });
}

/** Flags over the file at `path`. Throws invalidArgument for one given in both, as dockerd does. */
export function mergeSettings(flags: Settings, file: Settings, path: string): Settings {
  const both = entries.filter(([name]) => flags[name] !== undefined && file[name] !== undefined);
  if (both.length > 0) {
    const names = both.map(
      ([name, setting]) =>
        `${keyOf(setting) ?? ''}: (from flag: ${shown(flags[name])}, from file: ${shown(file[name])})`,
    );
    throw invalidArgument(
      `${inFile(path)}the following directives are specified both as a flag and in the configuration file: ${names.join(', ')}`,
    );
  }
  return { ...file, ...flags };
}

/** A value as Go prints it. */
function shown(value: Value | undefined): string {
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.join(' ')}]`;
  return `map[${Object.entries(value)
    .map(([key, member]) => `${key}:${member}`)
    .join(' ')}]`;
}

/** The text of `wharfd --help`. */
export function usage(configFile: string): string {
  const lines = entries.map(([, { flag, short, kind, help }]) => {
    const argument = { text: ' string', flag: '', number: ' int', list: ' list', pairs: ' map' }[kind];
    const left = `  ${short === undefined ? '    ' : `-${short}, `}--${flag}${argument}`;
    return `${left.padEnd(40)}${help}`;
  });
  return [
    'Usage:  wharfd [OPTIONS]',
    '',
    'The engine: serves the Docker Engine API.',
    '',
    'Options:',
    `      --config-file string              Configuration file (default ${configFile})`,
    '      --validate                        Check the configuration and end',
    ...lines,
    '',
  ].join('\n');
}
