import type { ProgressMessage } from '#api/types';
import type { ProgressEvent } from '#images';
import { messageOf } from '#kernel';

const barLength = 50;

/** A step of a transfer as the wire has it, with the bar that simple clients print. */
export function viewProgress(event: ProgressEvent): ProgressMessage {
  const { current, total } = event;
  const moving = current !== undefined || total !== undefined;
  return {
    ...(event.stream !== undefined && { stream: event.stream }),
    ...(event.status !== undefined && { status: event.status }),
    ...((event.id !== undefined || event.aux) && {
      progressDetail: moving
        ? { ...(current !== undefined && { current }), ...(total !== undefined && { total }) }
        : {},
    }),
    ...(moving && { progress: progressBar(current ?? 0, total ?? 0) }),
    ...(event.id !== undefined && { id: event.id }),
    ...(event.aux && { aux: event.aux }),
  };
}

/** A failure after the stream has begun. */
export function viewFailure(error: unknown): ProgressMessage {
  const message = messageOf(error);
  return { errorDetail: { message }, error: message };
}

/** `[====>      ]  1.2MB/3.4MB`; without a total only the count. */
function progressBar(current: number, total: number): string {
  const count = humanSize(current).padStart(8);
  if (total <= 0 || current > total) return count;
  const done = Math.min(Math.floor((current / total) * barLength), barLength);
  const head = done < barLength ? '>' : '';
  const bar = `${'='.repeat(done)}${head}${' '.repeat(Math.max(barLength - done - head.length, 0))}`;
  return `[${bar}] ${count}/${humanSize(total)}`;
}

/** Decimal units with four significant digits: `1.234MB`. */
function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${units[unit] ?? ''}`;
}
