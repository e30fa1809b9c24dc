import { existsSync } from 'node:fs';
import type { LogOptions } from '../log-info.ts';
import { parseAddress } from './addresses.ts';

export interface SyslogOptions {
  /** `local`: whatever socket this host's syslog listens on. */
  readonly transport: 'local' | 'unix' | 'unixgram' | 'udp' | 'tcp' | 'tcp+tls';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** RFC 5424, 6.2.1: 0–23. */
  readonly facility: number;
  readonly format: '' | 'rfc3164' | 'rfc5424' | 'rfc5424micro';
  readonly tls: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly skipVerify: boolean;
  };
}

const facilities = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['', '', '', ''],
  ...Array.from({ length: 8 }, (_, index) => `local${index}`),
];
const formats = ['', 'rfc3164', 'rfc5424', 'rfc5424micro'];
const transports = ['unix', 'unixgram', 'udp', 'tcp', 'tcp+tls'];

/** Throws Docker's errors. */
export function parseSyslog(options: LogOptions): SyslogOptions {
  const location = parseLocation(options['syslog-address'] ?? '');
  const facility = parseFacility(options['syslog-facility'] ?? '');
  const format = options['syslog-format'] ?? '';
  if (!formats.includes(format)) throw new Error('Invalid syslog format');
  return {
    ...location,
    facility,
    // Checked above.
    format: format as SyslogOptions['format'],
    tls: {
      ca: options['syslog-tls-ca-cert'],
      cert: options['syslog-tls-cert'],
      key: options['syslog-tls-key'],
      // As in Docker the option counts, whatever its value.
      skipVerify: options['syslog-tls-skip-verify'] !== undefined,
    },
  };
}

function parseLocation(text: string): Pick<SyslogOptions, 'transport' | 'host' | 'port' | 'path'> {
  if (text === '') return { transport: 'local', host: '', port: 0, path: '' };
  const { scheme, host, port, path } = parseAddress(text);
  if (!transports.includes(scheme)) throw new Error(`unsupported scheme: '${scheme}'`);
  // Checked above.
  const transport = scheme as SyslogOptions['transport'];
  if (transport === 'unix' || transport === 'unixgram') {
    if (!existsSync(path)) throw new Error(`stat ${path}: no such file or directory`);
    return { transport, host: '', port: 0, path };
  }
  return { transport, host: host === '' ? '127.0.0.1' : host, port: Number(port || 514), path: '' };
}

function parseFacility(text: string): number {
  if (text === '') return 3;
  const number = facilities.indexOf(text);
  if (number >= 0) return number;
  if (/^\d+$/.test(text) && Number(text) < facilities.length) return Number(text);
  throw new Error('invalid syslog facility');
}
