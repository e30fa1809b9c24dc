import { invalidArgument, prefixErrors } from '#kernel';
import { parseFluentd } from './drivers/fluentd-options.ts';
import { parseGelf } from './drivers/gelf-options.ts';
import { parseSyslog } from './drivers/syslog-options.ts';
import type { LogOptions } from './log-info.ts';
import { parseBoolean, parseSize } from './option-values.ts';

const attributes = ['labels', 'labels-regex', 'env', 'env-regex', 'tag'];
const files = ['max-file', 'max-size', 'compress'];
const common = [
  'mode',
  'max-buffer-size',
  'cache-disabled',
  'cache-max-size',
  'cache-max-file',
  'cache-compress',
];

interface DriverOptions {
  readonly known: readonly string[];
  readonly unknown: (name: string) => string;
  /** Throws Docker's errors. */
  validate?(options: LogOptions): unknown;
}

const unknownFor =
  (driver: string) =>
  (name: string): string =>
    `unknown log opt '${name}' for ${driver} log driver`;

const drivers: Readonly<Record<string, DriverOptions>> = {
  fluentd: {
    known: [
      ...attributes,
      'fluentd-address',
      'fluentd-async',
      'fluentd-async-reconnect-interval',
      'fluentd-buffer-limit',
      'fluentd-max-retries',
      'fluentd-request-ack',
      'fluentd-retry-wait',
      'fluentd-sub-second-precision',
      'fluentd-write-timeout',
    ],
    unknown: unknownFor('fluentd'),
    validate: parseFluentd,
  },
  gelf: {
    known: [
      ...attributes,
      'gelf-address',
      'gelf-compression-level',
      'gelf-compression-type',
      'gelf-tcp-max-reconnect',
      'gelf-tcp-reconnect-delay',
    ],
    unknown: (name) => `unknown log opt "${name}" for gelf log driver`,
    validate: parseGelf,
  },
  journald: { known: attributes, unknown: unknownFor('journald') },
  'json-file': { known: [...attributes, ...files], unknown: unknownFor('json-file') },
  local: { known: files, unknown: (name) => `unknown log opt '${name}' for log driver local` },
  syslog: {
    known: [
      ...attributes,
      'syslog-address',
      'syslog-facility',
      'syslog-format',
      'syslog-tls-ca-cert',
      'syslog-tls-cert',
      'syslog-tls-key',
      'syslog-tls-skip-verify',
    ],
    unknown: unknownFor('syslog'),
    validate: parseSyslog,
  },
};

/** Names of the log drivers, sorted; `none`, which is no driver to Docker either, is left out. */
export const logDrivers: readonly string[] = Object.keys(drivers);

/** Whether a driver sends records elsewhere, beside the local file that `logs` reads. */
export const isRemoteDriver = (driver: string): boolean =>
  ['fluentd', 'gelf', 'journald', 'syslog'].includes(driver);

/**
 * Refuses a driver that there is none of, and options that are unknown, or malformed as far as Docker says so when a
 * container is created. Throws invalidArgument in Docker's words.
 */
export function validateLogOptions(driver: string, options: LogOptions): void {
  if (driver === 'none') return;
  const known = Object.hasOwn(drivers, driver) ? drivers[driver] : undefined;
  if (!known)
    throw invalidArgument(`error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  const validate = (): void => {
    validateMode(options);
    if (options['cache-disabled'] !== undefined) cacheDisabled(options);
    for (const name of Object.keys(options)) {
      if (!known.known.includes(name) && !common.includes(name)) throw new Error(known.unknown(name));
    }
    known.validate?.(options);
  };
  prefixErrors('', validate, 'invalidArgument');
}

/** Whether `logs` shall not be kept for reading. Throws on what is no boolean. */
export function cacheDisabled(options: LogOptions): boolean {
  const text = options['cache-disabled'] ?? 'false';
  try {
    return parseBoolean(text);
  } catch (error) {
    throw invalidArgument(`invalid value for option cache-disabled: ${text}`, error);
  }
}

/** With `mode=non-blocking`: how many bytes may wait. */
export function bufferSize(options: LogOptions): number | undefined {
  return options['mode'] === 'non-blocking' ? parseSize(options['max-buffer-size'] ?? '1m', 1024) : undefined;
}

function validateMode(options: LogOptions): void {
  const { mode = '', 'max-buffer-size': buffer } = options;
  if (!['', 'blocking', 'non-blocking'].includes(mode)) {
    throw new Error(`logger: logging mode not supported: ${mode}`);
  }
  if (buffer === undefined) return;
  if (mode !== 'non-blocking') {
    throw new Error("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  prefixErrors('error parsing option max-buffer-size: ', () => parseSize(buffer, 1024));
}
