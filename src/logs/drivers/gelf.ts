import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import { formatTime, internal, messageOf } from '#kernel';
import { extraAttributes, type LogInfo, type LogOptions } from '../log-info.ts';
import { expandTag } from '../tag.ts';
import { hostPort } from './addresses.ts';
import { Connection } from './connection.ts';
import { openUdp } from './datagrams.ts';
import type { DriverEvents, LogDriver, LogMessage } from './driver.ts';
import { parseGelf, type GelfOptions } from './gelf-options.ts';

const CHUNK_BYTES = 1420;
const CHUNK_HEAD_BYTES = 12;
const CHUNK_DATA_BYTES = CHUNK_BYTES - CHUNK_HEAD_BYTES;
const MAX_CHUNKS = 128;
const ERROR = 3;
const INFORMATIONAL = 6;
const gzipAsync = promisify(gzip);
const deflateAsync = promisify(deflate);

/** JSON as Go writes it: fit to stand in HTML. */
const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** GELF 1.1 messages of a container's records. */
export class GelfFormat {
  readonly #host: string;
  /** The additional fields, which are the same in every message. */
  readonly #extra: string;

  constructor(info: LogInfo, options: LogOptions) {
    this.#host = goJson(info.hostname);
    const extra: Record<string, string> = {
      _command: [info.entrypoint, ...info.args].join(' '),
      _container_id: info.containerId,
      _container_name: info.containerName,
      _created: formatTime(info.createdAt),
      _image_id: info.imageId,
      _image_name: info.imageName,
      _tag: expandTag(info, options),
      ...extraAttributes(info, options, (name) => `_${name}`),
    };
    this.#extra = Object.entries(extra)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `,${goJson(name)}:${goJson(value)}`)
      .join('');
  }

  encode({ stream, time, line }: LogMessage): Buffer {
    const seconds = Number(time / 1_000_000n) / 1000;
    const level = stream === 'stderr' ? ERROR : INFORMATIONAL;
    return Buffer.from(
      `{"version":"1.1","host":${this.#host},"short_message":${goJson(line.toString())},` +
        `"timestamp":${seconds},"level":${level}${this.#extra}}`,
    );
  }
}

/** A message as datagrams, in chunks when it is long; undefined when it is longer than chunks can carry. */
export function gelfChunks(message: Buffer): readonly Buffer[] | undefined {
  if (message.length <= CHUNK_BYTES) return [message];
  const count = Math.ceil(message.length / CHUNK_DATA_BYTES);
  if (count > MAX_CHUNKS) return undefined;
  const id = randomBytes(8);
  return Array.from({ length: count }, (_, index) =>
    Buffer.concat([
      Buffer.of(0x1e, 0x0f),
      id,
      Buffer.of(index, count),
      message.subarray(index * CHUNK_DATA_BYTES, (index + 1) * CHUNK_DATA_BYTES),
    ]),
  );
}

/** Opens the connection. Throws as Docker words it. */
export async function openGelf(info: LogInfo, options: LogOptions, events: DriverEvents): Promise<LogDriver> {
  const parsed = parseGelf(options);
  const format = new GelfFormat(info, options);
  try {
    return await (parsed.transport === 'tcp' ? overTcp(parsed, format) : overUdp(parsed, format, events));
  } catch (error) {
    const target = hostPort(parsed.host, parsed.port);
    throw internal(`gelf: cannot connect to GELF endpoint: ${target} ${messageOf(error)}`, error);
  }
}

const full = ({ line }: LogMessage): boolean => line.length > 0;

async function overTcp({ host, port }: GelfOptions, format: GelfFormat): Promise<LogDriver> {
  const connection = await Connection.open({ host, port });
  const end = Buffer.of(0);
  return {
    batch: 64,
    async send(messages) {
      const parts = messages.filter(full).flatMap((message) => [format.encode(message), end]);
      if (parts.length > 0) await connection.write(Buffer.concat(parts));
    },
    close: () => connection.close(),
  };
}

async function overUdp(options: GelfOptions, format: GelfFormat, events: DriverEvents): Promise<LogDriver> {
  const target = await openUdp(options.host, options.port, events);
  const { compression, level } = options;
  const compress = async (data: Buffer): Promise<Buffer> => {
    if (compression === 'none') return data;
    return compression === 'gzip' ? gzipAsync(data, { level }) : deflateAsync(data, { level });
  };
  return {
    batch: 1,
    async send(messages) {
      for (const message of messages.filter(full)) {
        const chunks = gelfChunks(await compress(format.encode(message)));
        if (!chunks) events.dropped('the message is longer than 128 chunks');
        for (const chunk of chunks ?? []) await target.send(chunk);
      }
    },
    close: () => target.close(),
  };
}
