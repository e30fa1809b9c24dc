import { prefixErrors } from '#kernel';
import { logDrivers, validateLogOptions, type LogOptions } from '#logs';

/** The settings as read from flags and file. */
interface Settings {
  choice(name: 'logDriver', choices: readonly string[]): string | undefined;
  pairs(name: 'logOptions'): LogOptions;
}

/** What containers that ask for nothing get. Throws invalidArgument in Docker's words. */
export function logSettings(read: Settings): {
  readonly logDriver: string;
  readonly logOptions: LogOptions;
} {
  const logDriver = read.choice('logDriver', [...logDrivers, 'none']) ?? 'json-file';
  const logOptions = read.pairs('logOptions');
  prefixErrors('failed to set log opts: ', () => validateLogOptions(logDriver, logOptions));
  return { logDriver, logOptions };
}
