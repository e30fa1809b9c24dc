import { prefixErrors } from '#kernel';
import type { LogOptions } from '../log-info.ts';
import { parseBoolean, parseDuration, parseSize, parseUnsigned } from '../option-values.ts';
import { parseAddress } from './addresses.ts';

export interface FluentdOptions {
  readonly transport: 'tcp' | 'tls' | 'unix';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Nobody waits for the first connection. */
  readonly async: boolean;
  readonly subSecond: boolean;
  readonly acknowledge: boolean;
  /** Milliseconds for which a write may take; 0: as long as it takes. */
  readonly writeTimeout: number;
}

/** Throws Docker's errors. */
export function parseFluentd(options: LogOptions): FluentdOptions {
  const text = options['fluentd-address'] ?? '';
  const location = prefixErrors(`invalid fluentd-address (${text}): `, () => parseLocation(text));
  const flag = (name: string): boolean => (options[name] ? parseBoolean(options[name]) : false);
  if (options['fluentd-buffer-limit']) parseSize(options['fluentd-buffer-limit'], 1024);
  if (options['fluentd-retry-wait']) parseDuration(options['fluentd-retry-wait']);
  if (options['fluentd-max-retries']) parseUnsigned(options['fluentd-max-retries']);
  const async = flag('fluentd-async');
  checkInterval(options['fluentd-async-reconnect-interval']);
  const subSecond = flag('fluentd-sub-second-precision');
  const acknowledge = flag('fluentd-request-ack');
  const writeTimeout = parseTimeout(options['fluentd-write-timeout']);
  return { ...location, async, subSecond, acknowledge, writeTimeout };
}

function parseLocation(text: string): Pick<FluentdOptions, 'transport' | 'host' | 'port' | 'path'> {
  if (text === '') return { transport: 'tcp', host: '127.0.0.1', port: 24224, path: '' };
  const { scheme, host, port, path } = parseAddress(text.includes('://') ? text : `tcp://${text}`);
  if (scheme === 'unix') {
    if (path === '' || path === '/') throw new Error('path is empty');
    return { transport: 'unix', host: '', port: 0, path: `${host}${path}` };
  }
  if (scheme !== 'tcp' && scheme !== 'tls') throw new Error(`unsupported scheme: '${scheme}'`);
  if (path !== '') throw new Error('should not contain a path element');
  return { transport: scheme, host: host === '' ? '127.0.0.1' : host, port: Number(port || 24224), path: '' };
}

function checkInterval(text: string | undefined): void {
  if (!text) return;
  const name = 'invalid value for fluentd-async-reconnect-interval';
  const interval = prefixErrors(`${name}: `, () => parseDuration(text));
  if (interval !== 0 && (interval < 100 || interval > 10_000)) {
    throw new Error(`${name}: value (${JSON.stringify(text)}) must be between 100ms and 10s`);
  }
}

function parseTimeout(text: string | undefined): number {
  if (!text) return 0;
  const prefix = 'invalid value for fluentd-write-timeout: value must be a duration: ';
  return prefixErrors(prefix, () => parseDuration(text));
}
