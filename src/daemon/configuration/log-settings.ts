import { prefixErrors } from '#kernel';
import { logDrivers, validateLogOptions, type LogOptions } from '#logs';
import type { SettingsReader } from './settings-reader.ts';

/** What containers that ask for nothing get. Throws invalidArgument in Docker's words. */
export function logSettings(read: SettingsReader): {
  readonly logDriver: string;
  readonly logOptions: LogOptions;
} {
  const logDriver = read.choice('logDriver', [...logDrivers, 'none']) ?? 'json-file';
  const logOptions = read.pairs('logOptions');
  prefixErrors('failed to set log opts: ', () => validateLogOptions(logDriver, logOptions));
  return { logDriver, logOptions };
}
