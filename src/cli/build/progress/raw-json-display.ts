import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { StatusResponse } from '#buildkit';
import type { Output } from '../../output.ts';
import type { Display } from './display.ts';

/** Each message of the engine as a line of JSON, with the names and forms of BuildKit's SolveStatus. */
export class RawJsonDisplay implements Display {
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  update(status: StatusResponse): void {
    const lists = {
      vertexes: status.vertexes.map(
        ({ digest, inputs, name, cached, started, completed, error, progressGroup }) => ({
          digest,
          ...(inputs.length > 0 && { inputs }),
          ...(name !== '' && { name }),
          ...times(started, completed),
          ...(cached && { cached }),
          ...(error !== '' && { error }),
          ...(progressGroup && { progressGroup: { id: progressGroup.id, name: progressGroup.name } }),
        }),
      ),
      statuses: status.statuses.map(
        ({ id, vertex, name, total, current, timestamp, started, completed }) => ({
          id,
          vertex,
          ...(name !== '' && { name }),
          ...(total !== 0n && { total: Number(total) }),
          current: Number(current),
          ...(timestamp && { timestamp: timeText(timestamp) }),
          ...times(started, completed),
        }),
      ),
      logs: status.logs.map(({ vertex, stream, msg, timestamp }) => ({
        vertex,
        stream: Number(stream),
        data: base64(msg),
        ...(timestamp && { timestamp: timeText(timestamp) }),
      })),
      warnings: status.warnings.map(({ vertex, level, short, detail, url, info, ranges }) => ({
        vertex,
        level: Number(level),
        short: base64(short),
        ...(detail.length > 0 && { detail: detail.map(base64) }),
        ...(url !== '' && { url }),
        ...(info && {
          sourceInfo: { filename: info.filename, data: base64(info.data), language: info.language },
        }),
        ...(ranges.length > 0 && {
          range: ranges.map(({ start, end }) => ({ start: place(start), end: place(end) })),
        }),
      })),
    };
    const told = Object.entries(lists).filter(([, list]) => list.length > 0);
    if (told.length > 0) this.#out.write(`${JSON.stringify(Object.fromEntries(told))}\n`);
  }

  end(): void {
    // Every message has been written.
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const place = (position: { line: number; character: number } | undefined): object => ({
  ...(position && position.line !== 0 && { line: position.line }),
  ...(position && position.character !== 0 && { character: position.character }),
});

function times(started: Timestamp | undefined, completed: Timestamp | undefined): object {
  return {
    ...(started && { started: timeText(started) }),
    ...(completed && { completed: timeText(completed) }),
  };
}

/** RFC 3339 with nanoseconds. */
function timeText(time: Timestamp): string {
  const seconds = timestampDate({ ...time, nanos: 0 })
    .toISOString()
    .slice(0, 19);
  const fraction = String(time.nanos).padStart(9, '0').replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}
