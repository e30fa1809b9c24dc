import { randomBytes } from 'node:crypto';
import { extraAttributes, type LogInfo, type LogOptions } from '../log-info.ts';
import { expandTag } from '../tag.ts';
import { Connection } from './connection.ts';
import type { LogDriver, LogMessage } from './driver.ts';
import { parseFluentd, type FluentdOptions } from './fluentd-options.ts';
import { pack, type PackValue } from './message-pack.ts';

const ACKNOWLEDGE_MS = 10_000;

/** Messages of fluentd's forward protocol, mode "message": `[tag, time, record, option]`. */
export class FluentdFormat {
  readonly #tag: string;
  readonly #fields: Readonly<Record<string, string>>;
  readonly #subSecond: boolean;

  constructor(info: LogInfo, options: LogOptions, subSecond: boolean) {
    this.#tag = expandTag(info, options);
    this.#subSecond = subSecond;
    this.#fields = {
      container_id: info.containerId,
      container_name: `/${info.containerName}`,
      ...extraAttributes(info, options),
    };
  }

  encode(
    { stream, time, line, partial }: LogMessage,
    option: Readonly<Record<string, PackValue>> = {},
  ): Buffer {
    const record = {
      ...this.#fields,
      source: stream,
      log: line,
      ...(partial && {
        partial_message: 'true',
        partial_id: partial.id,
        partial_ordinal: partial.ordinal.toString(),
        partial_last: partial.last.toString(),
      }),
    };
    return pack([this.#tag, { time, subSecond: this.#subSecond }, record, option]);
  }
}

/** Whether the first connection may wait for its target. */
export const fluentdIsAsync = (options: LogOptions): boolean => parseFluentd(options).async;

/** Opens the connection. Throws as Docker words it. */
export async function openFluentd(info: LogInfo, options: LogOptions): Promise<LogDriver> {
  const parsed = parseFluentd(options);
  const format = new FluentdFormat(info, options, parsed.subSecond);
  const connection = await Connection.open(targetOf(parsed));
  const acknowledged = parsed.acknowledge ? new Acknowledgements(connection) : undefined;
  return {
    batch: acknowledged ? 1 : 64,
    async send(messages) {
      if (!acknowledged) {
        const data = Buffer.concat(messages.map((message) => format.encode(message)));
        await connection.write(data, parsed.writeTimeout);
        return;
      }
      for (const message of messages) {
        const chunk = randomBytes(16).toString('base64');
        const answered = acknowledged.expect(chunk);
        // Together: a write that fails must not leave the answer's own failure to nobody.
        await Promise.all([
          connection.write(format.encode(message, { chunk }), parsed.writeTimeout),
          answered,
        ]);
      }
    },
    close: () => {
      acknowledged?.close();
      connection.close();
    },
  };
}

const targetOf = ({ transport, host, port, path }: FluentdOptions): Parameters<typeof Connection.open>[0] =>
  transport === 'unix' ? { path } : { host, port, ...(transport === 'tls' && { tls: {} }) };

/** Answers `{"ack": chunk}`. */
class Acknowledgements {
  #received = Buffer.alloc(0);
  #waiting: { readonly wanted: Buffer; readonly settle: (error?: Error) => void } | undefined;

  constructor(connection: Connection) {
    connection.onData((data) => {
      this.#received = Buffer.concat([this.#received, data]).subarray(-4096);
      this.#look();
    });
    connection.onFailure((error) => this.#waiting?.settle(error));
  }

  /** Resolves with the answer; rejects when none comes in time. */
  expect(chunk: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      this.#waiting?.settle(new Error('the log server does not acknowledge'));
    }, ACKNOWLEDGE_MS);
    this.#waiting = {
      wanted: pack({ ack: chunk }),
      settle: (error) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        if (error) reject(error);
        else resolve(undefined);
      },
    };
    return promise;
  }

  /** Nobody waits for an answer any more. */
  close(): void {
    this.#waiting?.settle(new Error('closed'));
  }

  #look(): void {
    const waiting = this.#waiting;
    const at = waiting ? this.#received.indexOf(waiting.wanted) : -1;
    if (!waiting || at < 0) return;
    this.#received = this.#received.subarray(at + waiting.wanted.length);
    waiting.settle();
  }
}
