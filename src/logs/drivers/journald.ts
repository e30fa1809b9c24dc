import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { formatTime, internal } from '#kernel';
import { extraAttributes, type LogInfo, type LogOptions } from '../log-info.ts';
import { expandTag } from '../tag.ts';
import { openUnixDatagrams } from './datagrams.ts';
import type { DriverEvents, LogDriver, LogMessage } from './driver.ts';

const ERROR = '3';
const INFORMATIONAL = '6';

/** Names of journal fields: capitals, digits and underscores, no underscore first. */
const fieldName = (name: string): string =>
  name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '_')
    .replace(/^_+/, '');

/** Entries of the journal's native protocol (systemd, JOURNAL_NATIVE_PROTOCOL). */
export class JournalFormat {
  readonly #fields: Readonly<Record<string, string>>;
  #ordinal = 0;

  constructor(info: LogInfo, options: LogOptions) {
    const tag = expandTag(info, options);
    this.#fields = {
      CONTAINER_ID: info.containerId.slice(0, 12),
      CONTAINER_ID_FULL: info.containerId,
      CONTAINER_NAME: info.containerName,
      CONTAINER_TAG: tag,
      IMAGE_NAME: info.imageName,
      SYSLOG_IDENTIFIER: tag,
      CONTAINER_LOG_EPOCH: randomBytes(32).toString('hex'),
      ...extraAttributes(info, options, fieldName),
    };
  }

  encode({ stream, time, line, partial }: LogMessage): Buffer {
    this.#ordinal += 1;
    const fields = {
      ...this.#fields,
      PRIORITY: stream === 'stderr' ? ERROR : INFORMATIONAL,
      CONTAINER_LOG_ORDINAL: this.#ordinal.toString(),
      SYSLOG_TIMESTAMP: formatTime(time),
      ...(partial && {
        CONTAINER_PARTIAL_ID: partial.id,
        CONTAINER_PARTIAL_ORDINAL: partial.ordinal.toString(),
        CONTAINER_PARTIAL_LAST: partial.last.toString(),
        ...(!partial.last && { CONTAINER_PARTIAL_MESSAGE: 'true' }),
      }),
    };
    return Buffer.concat([
      field('MESSAGE', line),
      ...Object.entries(fields).map(([name, value]) => field(name, Buffer.from(value))),
    ]);
  }
}

/** `NAME=value`, or name and length when the value holds a newline. */
function field(name: string, value: Buffer): Buffer {
  if (!value.includes(0x0a)) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
}

/** Opens the journal's socket. Throws in Docker's words where there is none. */
export function openJournald(
  info: LogInfo,
  options: LogOptions,
  events: DriverEvents,
  socket: string,
): LogDriver {
  if (!existsSync(socket)) throw internal('journald is not enabled on this host');
  const format = new JournalFormat(info, options);
  const target = openUnixDatagrams(socket, events);
  return {
    batch: 1,
    async send(messages) {
      for (const message of messages) await target.send(format.encode(message));
    },
    close: () => target.close(),
  };
}
