import { existsSync, readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { errnoOf, internal, messageOf } from '#kernel';
import type { LogInfo, LogOptions } from '../log-info.ts';
import { fixedTime, stampTime } from '../go-time.ts';
import { expandTag } from '../tag.ts';
import { Connection } from './connection.ts';
import { openUdp, openUnixDatagrams, type DatagramTarget } from './datagrams.ts';
import type { DriverEvents, LogDriver, LogMessage } from './driver.ts';
import { parseSyslog, type SyslogOptions } from './syslog-options.ts';

const ERROR = 3;
const INFORMATIONAL = 6;
const localSockets = ['/dev/log', '/var/run/syslog', '/var/run/log'];

/** Syslog lines of a container's records; see RFC 3164, RFC 5424 and, for the framing over TLS, RFC 5425. */
export class SyslogFormat {
  readonly #options: SyslogOptions;
  readonly #tag: string;
  readonly #hostname: string;
  readonly #counted: boolean;

  constructor(options: SyslogOptions, tag: string, hostname: string) {
    this.#options = options;
    this.#tag = tag;
    this.#hostname = hostname;
    this.#counted = options.transport === 'tcp+tls' && options.format.startsWith('rfc5424');
  }

  encode({ stream, time, line }: LogMessage): Buffer {
    const severity = stream === 'stderr' ? ERROR : INFORMATIONAL;
    const head = this.#head(`<${this.#options.facility * 8 + severity}>`, time);
    const message = Buffer.concat([Buffer.from(head), line, Buffer.from('\n')]);
    return this.#counted ? Buffer.concat([Buffer.from(`${message.length} `), message]) : message;
  }

  #head(priority: string, time: bigint): string {
    const tag = this.#tag;
    const { pid } = process;
    switch (this.#options.format) {
      case '':
        return `${priority}${stampTime(time)} ${tag}[${pid}]: `;
      case 'rfc3164':
        return `${priority}${stampTime(time)} ${this.#hostname} ${tag}[${pid}]: `;
      case 'rfc5424':
        return `${priority}1 ${fixedTime(time, 0)} ${this.#hostname} ${tag} ${pid} ${tag} - `;
      case 'rfc5424micro':
        return `${priority}1 ${fixedTime(time, 6)} ${this.#hostname} ${tag} ${pid} ${tag} - `;
    }
  }
}

/** Opens the connection. Throws as Docker words it. */
export async function openSyslog(
  info: LogInfo,
  options: LogOptions,
  events: DriverEvents,
): Promise<LogDriver> {
  const parsed = parseSyslog(options);
  const format = new SyslogFormat(parsed, expandTag(info, options), info.hostname);
  const target = await openTarget(parsed, events);
  // Docker sends nothing for an empty line.
  const encode = (messages: readonly LogMessage[]): Buffer[] =>
    messages.filter(({ line }) => line.length > 0).map((message) => format.encode(message));
  if (target instanceof Connection) {
    return {
      batch: 64,
      async send(messages) {
        const lines = encode(messages);
        if (lines.length > 0) await target.write(Buffer.concat(lines));
      },
      close: () => target.close(),
    };
  }
  return {
    batch: 1,
    async send(messages) {
      for (const datagram of encode(messages)) await target.send(datagram);
    },
    close: () => target.close(),
  };
}

async function openTarget(
  options: SyslogOptions,
  events: DriverEvents,
): Promise<Connection | DatagramTarget> {
  const { transport, host, port, path } = options;
  switch (transport) {
    case 'local':
      return openLocal(events);
    case 'unixgram':
      return openUnixDatagrams(path, events);
    case 'unix':
      return Connection.open({ path });
    case 'udp':
      return openUdp(host, port, events);
    case 'tcp':
      return Connection.open({ host, port });
    case 'tcp+tls':
      return Connection.open({ host, port, tls: tlsOptions(options) });
  }
}

/** The socket of the host's own syslog. */
async function openLocal(events: DriverEvents): Promise<Connection | DatagramTarget> {
  for (const path of localSockets.filter((name) => existsSync(name))) {
    try {
      return openUnixDatagrams(path, events);
    } catch {
      const stream = await Connection.open({ path }).catch(() => undefined);
      if (stream) return stream;
    }
  }
  throw internal('Unix syslog delivery error');
}

function tlsOptions({ tls }: SyslogOptions): ConnectionOptions {
  return {
    ...(tls.ca && { ca: readPem('could not read CA certificate', tls.ca) }),
    ...(tls.cert && { cert: readPem('could not load X509 key pair: certificate', tls.cert) }),
    ...(tls.key && { key: readPem('could not load X509 key pair: key', tls.key) }),
    rejectUnauthorized: !tls.skipVerify,
  };
}

function readPem(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error);
    throw internal(`${what} ${JSON.stringify(path)}: open ${path}: ${reason}`, error);
  }
}
