import { join } from 'node:path';
import type { HostConfig } from '#api/types';
import { EngineError, internal, messageOf, prefixErrors, unimplemented } from '#kernel';
import {
  bufferSize,
  cacheDisabled,
  clearLogs,
  expandTag,
  extraAttributes,
  isRemoteDriver,
  parseBoolean,
  parseInteger,
  parseSize,
  validateLogOptions,
  type LogInfo,
  type LogOptions,
  type ShippedLog,
} from '#logs';
import type { LogConfig } from '#runtime';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { stateFolderOf } from './container-paths.ts';

/** Refuses a log driver or options that cannot be, in Docker's words. */
export function validateLogConfig(host: HostConfig): void {
  validateLogOptions(driverOf(host), host.LogConfig?.Config ?? {});
}

const driverOf = (host: HostConfig): string => host.LogConfig?.Type ?? 'json-file';
const optionsOf = (record: ContainerRecord): LogOptions => record.hostConfig.LogConfig?.Config ?? {};

/** Where a container's records are kept on this host, whatever its driver; undefined for `none`. */
export function localLogPath(ctx: ContainerContext, record: ContainerRecord): string | undefined {
  const folder = stateFolderOf(ctx, record.id);
  const driver = driverOf(record.hostConfig);
  if (driver === 'none') return undefined;
  if (driver === 'json-file') return join(folder, `${record.id}-json.log`);
  return join(folder, 'local-logs', driver === 'local' ? 'container.log' : 'container-cached.log');
}

/** The log file that inspect shows: only that of json-file is there for others to read. */
export const shownLogPath = (ctx: ContainerContext, record: ContainerRecord): string =>
  driverOf(record.hostConfig) === 'json-file' ? (localLogPath(ctx, record) ?? '') : '';

/** The file that `logs` reads. Throws where there is none, or the log was never to be opened, in Docker's words. */
export function readableLogPath(ctx: ContainerContext, record: ContainerRecord): string {
  const path = localLogPath(ctx, record);
  const hidden = isRemoteDriver(driverOf(record.hostConfig)) && cacheDisabled(optionsOf(record));
  if (path === undefined || hidden) {
    throw unimplemented('configured logging driver does not support reading');
  }
  logConfig(ctx, record);
  return path;
}

/**
 * Opens a container's log for a run: checks the options, connects the remote driver. Throws in Docker's words when
 * that fails.
 */
export async function openLog(ctx: ContainerContext, record: ContainerRecord): Promise<LogConfig> {
  try {
    const config = logConfig(ctx, record);
    const shipped = shippedLog(ctx, record);
    if (shipped) await ctx.shipping.open(shipped);
    return config;
  } catch (error) {
    const message = `failed to create task for container: failed to initialize logging driver: ${messageOf(error)}`;
    // Clients tell a start that lacks a file by its status.
    const missing = message.includes('no such file or directory');
    throw new EngineError(missing ? 'invalidArgument' : 'internal', message, { cause: error });
  }
}

/** After a start of the daemon: what remote drivers have not sent yet goes on its way. */
export function resumeShipping(ctx: ContainerContext): void {
  for (const record of ctx.store.list()) {
    const shipped = record.state.status === 'created' ? undefined : shippedLog(ctx, record);
    if (shipped) ctx.shipping.resume(shipped, record.state.status === 'running');
  }
}

/** Empties a container's log on this host, also while it is written. Throws like readableLogPath(). */
export async function clearContainerLog(ctx: ContainerContext, record: ContainerRecord): Promise<void> {
  await clearLogs(readableLogPath(ctx, record));
  const shipped = shippedLog(ctx, record);
  if (shipped) await ctx.shipping.cleared(shipped);
}

/** What the shipping of a remote driver's records must know; undefined for drivers that keep them here. */
function shippedLog(ctx: ContainerContext, record: ContainerRecord): ShippedLog | undefined {
  const driver = driverOf(record.hostConfig);
  const path = localLogPath(ctx, record);
  if (path === undefined || !isRemoteDriver(driver)) return undefined;
  return {
    driver,
    options: optionsOf(record),
    info: logInfo(ctx, record),
    path,
    positionPath: join(stateFolderOf(ctx, record.id), 'log-position.json'),
  };
}

/** How the supervisor keeps a container's output. Throws in Docker's words for options that it refuses at a start. */
function logConfig(ctx: ContainerContext, record: ContainerRecord): LogConfig {
  const driver = driverOf(record.hostConfig);
  const path = localLogPath(ctx, record);
  if (path === undefined) return { driver: 'none', path: '', maxSize: undefined, maxFiles: 1 };
  const options = optionsOf(record);
  const maxBuffer = bufferSize(options);
  const config = { driver: 'json-file', path, ...(maxBuffer !== undefined && { maxBuffer }) } as const;
  if (driver === 'local') return { ...config, ...localFiles(options) };
  if (isRemoteDriver(driver)) return { ...config, ...cacheFiles(options) };
  return { ...config, ...jsonFiles(options), ...attributes(logInfo(ctx, record), options) };
}

type Files = Pick<LogConfig, 'maxSize' | 'maxFiles' | 'compress'>;

/** Rotated at 10 MB × 5 unless told otherwise; `max-size=-1` lets the file grow for ever. */
function jsonFiles(options: LogOptions): Files {
  const text = options['max-size'] ?? '10m';
  const maxSize = text === '-1' ? undefined : parseSize(text, 1000);
  if (maxSize === 0) throw internal('max-size must be a positive number');
  const maxFiles = parseInteger(options['max-file'] ?? '5');
  if (maxFiles < 1) throw internal('max-file cannot be less than 1');
  const compress = options['compress'] ? parseBoolean(options['compress']) : false;
  if (compress && (maxFiles < 2 || maxSize === undefined)) {
    throw internal('compress cannot be true when max-file is less than 2 or max-size is not set');
  }
  return { maxSize, maxFiles, compress };
}

/** 20 MB × 5, compressed, unless told otherwise. */
function localFiles(options: LogOptions): Files {
  const size = options['max-size'] ?? '20m';
  const maxSize = prefixErrors(
    `invalid value for max-size: ${size}: `,
    () => parseSize(size, 1000),
    'internal',
  );
  const files = options['max-file'] ?? '5';
  const maxFiles = prefixErrors(
    `invalid value for max-file: ${files}: `,
    () => parseInteger(files),
    'internal',
  );
  const compress = prefixErrors(
    'error reading compress log option: ',
    () => parseBoolean(options['compress'] ?? 'true'),
    'internal',
  );
  if (maxFiles < 0) throw internal('max file count cannot be less than 0');
  if (compress && maxFiles < 2) throw internal('compression cannot be enabled when max file count is 1');
  return { maxSize: maxSize || 20_000_000, maxFiles: Math.max(1, maxFiles), compress };
}

/** The same for the copy of what goes elsewhere; as in Docker a value that is none counts as not given. */
function cacheFiles(options: LogOptions): Files {
  const attempt = <T>(parse: () => T, fallback: T): T => {
    try {
      return parse();
    } catch {
      return fallback;
    }
  };
  const maxSize = attempt(() => parseSize(options['cache-max-size'] ?? '20m', 1000), 0) || 20_000_000;
  const maxFiles = attempt(() => parseInteger(options['cache-max-file'] ?? '5'), 0);
  const compress = attempt(() => parseBoolean(options['cache-compress'] ?? 'true'), true);
  return { maxSize, maxFiles: maxFiles > 0 ? maxFiles : 5, compress: compress && maxFiles !== 1 };
}

/** What every record of json-file bears besides. */
function attributes(info: LogInfo, options: LogOptions): Pick<LogConfig, 'attrs'> {
  const attrs = extraAttributes(info, options);
  if (options['tag']) attrs['tag'] = expandTag(info, options);
  const names = Object.keys(attrs).sort();
  return names.length > 0
    ? { attrs: Object.fromEntries(names.map((name) => [name, attrs[name] ?? ''])) }
    : {};
}

function logInfo(ctx: ContainerContext, record: ContainerRecord): LogInfo {
  const { config } = record;
  const [entrypoint = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return {
    containerId: record.id,
    containerName: record.name,
    imageId: record.imageId,
    imageName: record.imageName,
    createdAt: record.createdAt,
    entrypoint,
    args,
    env: config.Env ?? [],
    labels: config.Labels ?? {},
    hostname: ctx.options.host.hostname,
  };
}
