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
  return Buffer.concat([frameHead(stream, payload.length), payload]);
}

function frameHead(stream: keyof typeof frameTypes, length: number): Buffer {
  const head = Buffer.allocUnsafe(8);
  head[0] = frameTypes[stream];
  head[1] = head[2] = head[3] = 0;
  head[4] = length >>> 24;
  head[5] = length >>> 16;
  head[6] = length >>> 8;
  head[7] = length;
  return head;
}

/** Records as the logs endpoint sends them, one frame each, all of a batch in one piece. */
export async function* logFrames(
  batches: AsyncIterable<readonly LogRecord[]>,
  format: LogFormat,
): AsyncIterable<Uint8Array> {
  const plain = !format.timestamps && !format.details;
  for await (const batch of batches) {
    const parts: Uint8Array[] = [];
    for (const record of batch) {
      const prefix = plain ? nothing : Buffer.from(prefixOf(record, format));
      if (!format.tty) parts.push(frameHead(record.stream, prefix.length + record.bytes.length));
      if (!plain) parts.push(prefix);
      parts.push(record.bytes);
    }
    yield Buffer.concat(parts);
  }
}

const nothing = Buffer.alloc(0);

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
