import { join } from 'node:path';
import type { ContainerConfig, HostConfig } from '#api/types';
import { invalidArgument, unimplemented } from '#kernel';
import type { LogConfig } from '#runtime';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { stateFolderOf } from './container-paths.ts';

type Options = Readonly<Record<string, string>>;

const known = new Set(['max-size', 'max-file', 'labels', 'env', 'mode']);
const later = new Set(['compress', 'tag', 'labels-regex', 'env-regex', 'max-buffer-size']);

/** Refuses options of the log driver that are unknown or malformed, in Docker's words, or not built, by name. */
export function validateLogOptions(host: HostConfig, defaults: Options): void {
  const driver = host.LogConfig?.Type ?? 'json-file';
  const own = host.LogConfig?.Config ?? {};
  for (const name of Object.keys(own)) {
    if (driver === 'none' || (!known.has(name) && !later.has(name))) {
      throw invalidArgument(`unknown log opt '${name}' for ${driver} log driver`);
    }
    if (later.has(name)) throw unimplemented(`the log option ${name} is not supported`);
  }
  const options = { ...defaults, ...own };
  maxFiles(options);
  maxSize(options);
  if (options['mode'] !== undefined && options['mode'] !== 'blocking') {
    throw unimplemented(`the log option mode=${options['mode']} is not supported: use mode=blocking`);
  }
}

/** Where and how a container's output is kept; rotated at 10 MB × 5 unless told otherwise. */
export function logConfig(ctx: ContainerContext, record: ContainerRecord): LogConfig {
  const { Type: type, Config: own } = record.hostConfig.LogConfig ?? {};
  const options = { ...ctx.options.defaults.logOptions, ...own };
  const attrs = attributes(record.config, options);
  return {
    driver: type === 'none' ? 'none' : 'json-file',
    path: join(stateFolderOf(ctx, record.id), `${record.id}-json.log`),
    maxSize: maxSize(options),
    maxFiles: maxFiles(options),
    ...(Object.keys(attrs).length > 0 && { attrs }),
  };
}

/** The labels and variables that `labels=` and `env=` ask to have in every record. */
function attributes(config: ContainerConfig, options: Options): Readonly<Record<string, string>> {
  const names = (option: string): readonly string[] =>
    (options[option] ?? '').split(',').filter((name) => name !== '');
  const variables = Object.fromEntries(
    (config.Env ?? []).map((entry) => {
      const at = entry.indexOf('=');
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
  const pick = (from: Options, wanted: readonly string[]): (readonly [string, string])[] =>
    wanted.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]] as const]));
  return Object.fromEntries([
    ...pick(config.Labels ?? {}, names('labels')),
    ...pick(variables, names('env')),
  ]);
}

function maxFiles(options: Options): number {
  const files = Number(options['max-file'] ?? 5);
  if (!Number.isInteger(files) || files < 1) throw invalidArgument('max-file cannot be less than 1');
  return files;
}

const maxSize = (options: Options): number | undefined => parseSize(options['max-size'] ?? '10m');

/** `10m` → bytes; `-1`: unlimited. Throws invalidArgument. */
function parseSize(text: string): number | undefined {
  if (text === '-1') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text);
  if (!match) throw invalidArgument(`invalid size: '${text}'`);
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase());
  return Math.floor(Number(match[1]) * 1024 ** power);
}
