import type { StepTask } from './build-trace.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `12.50kB / 80.00MB 0.3s done`, with a blank before it; empty where nothing is known yet. */
export function taskText(task: StepTask): string {
  return `${amountText(task)}${timeText(task)}${task.completed === undefined ? '' : ' done'}`;
}

/** What has come of how much. */
export function amountText({ current, total }: StepTask): string {
  if (total !== 0) return ` ${bytesText(current)} / ${bytesText(total)}`;
  return current === 0 ? '' : ` ${bytesText(current)}`;
}

function timeText({ started, completed, time }: StepTask): string {
  if (started === undefined) return '';
  const seconds = ((completed ?? time) - started) / 1000;
  return seconds > 0.01 ? ` ${seconds.toFixed(1)}s` : '';
}

/** In powers of 1000, with two digits behind the point. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let power = 0;
  for (; value >= 1000 && power < units.length - 1; power += 1) value /= 1000;
  return `${power === 0 ? value : value.toFixed(2)}${units[power] ?? ''}`;
}
