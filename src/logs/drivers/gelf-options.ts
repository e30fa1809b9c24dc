import type { LogOptions } from '../log-info.ts';
import { parseAddress } from './addresses.ts';

export interface GelfOptions {
  readonly transport: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
  readonly compression: 'gzip' | 'zlib' | 'none';
  /** -1 (zlib's default) to 9 */
  readonly level: number;
}

/** Throws Docker's errors. */
export function parseGelf(options: LogOptions): GelfOptions {
  const text = options['gelf-address'] ?? '';
  if (text === '') throw new Error('gelf-address is a required parameter');
  const { scheme, host, port } = parseAddress(text);
  if (scheme !== 'udp' && scheme !== 'tcp') throw new Error('gelf: endpoint needs to be TCP or UDP');
  if (port === '') throw new Error('gelf: please provide gelf-address as proto://host:port');
  checkCompression(options, scheme);
  checkReconnection(options, scheme);
  return {
    transport: scheme,
    host: host === '' ? 'localhost' : host,
    port: Number(port),
    // Checked above.
    compression: (options['gelf-compression-type'] ?? 'gzip') as GelfOptions['compression'],
    level: Number(options['gelf-compression-level'] ?? 1),
  };
}

function checkCompression(options: LogOptions, scheme: string): void {
  const compression = options['gelf-compression-type'];
  const level = options['gelf-compression-level'];
  if (scheme === 'tcp' && (compression !== undefined || level !== undefined)) {
    throw new Error('compression is only supported on UDP');
  }
  if (compression !== undefined && !['gzip', 'zlib', 'none'].includes(compression)) {
    throw new Error(`unknown value "${compression}" for log opt "gelf-compression-type" for gelf log driver`);
  }
  if (level !== undefined && !/^(?:-1|\d)$/.test(level)) {
    throw new Error(`unknown value "${level}" for log opt "gelf-compression-level" for gelf log driver`);
  }
}

function checkReconnection(options: LogOptions, scheme: string): void {
  for (const name of ['gelf-tcp-max-reconnect', 'gelf-tcp-reconnect-delay']) {
    const value = options[name];
    if (value === undefined) continue;
    if (scheme === 'udp') throw new Error(`"${name}" is only valid for TCP`);
    if (!/^\d+$/.test(value)) throw new Error(`"${name}" must be a positive integer`);
  }
}
