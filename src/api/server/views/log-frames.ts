import { formatTime } from '#kernel';
import type { LogRecord } from '#logs';

export interface LogFormat {
  /** Bytes as they are instead of frames. */
  readonly tty: boolean;
  /** A time before each line: RFC 3339 with nine fractional digits. */
  readonly timestamps: boolean;
  /** The record's extra attributes before each line. */
  readonly details: boolean;
}

/** `error`: of the engine itself; clients stop with its text. */
const frameTypes = { stdin: 0, stdout: 1, stderr: 2, error: 3 } as const;

/** One of Docker's frames: stream, three zeros, length (32 bits, big endian), payload. */
export function frame(stream: keyof typeof frameTypes, payload: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(8 + payload.length);
  framed.writeUInt32BE(frameTypes[stream] * 2 ** 24, 0);
  framed.writeUInt32BE(payload.length, 4);
  framed.set(payload, 8);
  return framed;
}

/** Records as the logs endpoint sends them, one frame each. */
export async function* logFrames(
  records: AsyncIterable<LogRecord>,
  format: LogFormat,
): AsyncIterable<Uint8Array> {
  for await (const record of records) {
    const prefix = prefixOf(record, format);
    const payload = prefix === '' ? record.bytes : Buffer.concat([Buffer.from(prefix), record.bytes]);
    yield format.tty ? payload : frame(record.stream, payload);
  }
}

function prefixOf(record: LogRecord, format: LogFormat): string {
  const time = format.timestamps ? `${fixedTime(record.time)} ` : '';
  if (!format.details) return time;
  const attributes = Object.entries(record.attrs ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`);
  return `${time}${attributes.join(',')} `;
}

/** As Go's url.QueryEscape. */
const queryEscape = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');

/** RFC 3339 with all nine fractional digits. */
function fixedTime(nanos: bigint): string {
  const [seconds = '', fraction = ''] = formatTime(nanos).slice(0, -1).split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}Z`;
}
