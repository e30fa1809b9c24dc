import { displayWidth } from '../../format/display-width.ts';
import { isCanceled, type BuildTrace, type Step } from './build-trace.ts';
import { amountText } from './task-text.ts';

export type Paint = 'done' | 'failed' | 'canceled' | 'output' | 'plain';

/** A line of the display. */
export interface Row {
  readonly text: string;
  readonly paint: Paint;
  /** The step that the line is about; the header's is none. */
  readonly step?: Step;
}

export interface FrameOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly columns: number;
  /** Lines that fit; Infinity: all are wanted. */
  readonly rows: number;
  readonly isFinished: boolean;
}

/** Lines of a running step's output, and milliseconds until it is worth showing. */
const outputRows = 6;
const quiet = 500;

/**
 * The display of a build on a terminal: a line for each step, more for what goes on in it. Running steps show what they
 * print last, folded away when they are done. Where there are too many lines those of finished steps go first.
 */
export function ttyFrame(trace: BuildTrace, options: FrameOptions): readonly Row[] {
  const steps = [...trace.steps].filter(({ index }) => index > 0).sort((a, b) => a.index - b.index);
  const rows = steps.flatMap((step) => stepRows(step, options));
  return [header(trace, options), ...fitted(rows, options.rows - 1)];
}

function header(trace: BuildTrace, { now, columns, isFinished }: FrameOptions): Row {
  const all = [...trace.steps];
  const begun = Math.min(...all.map(({ started }) => started ?? Infinity));
  const over = Math.max(...all.map(({ completed }) => completed ?? 0));
  const end = isFinished ? over : now;
  const seconds = Number.isFinite(begun) ? Math.max(0, end - begun) / 1000 : 0;
  const done = all.filter(({ completed }) => completed !== undefined).length;
  const state = `[+] Building ${seconds.toFixed(1)}s (${done}/${all.length})${isFinished ? ' FINISHED' : ''}`;
  return { text: aligned(state, 'docker:default', columns), paint: 'plain' };
}

function stepRows(step: Step, options: FrameOptions): readonly Row[] {
  const { columns, now, isFinished } = options;
  const isRunning = step.completed === undefined;
  const paint = paintOf(step);
  const seconds = (isRunning ? now - (step.started ?? now) : step.duration) / 1000;
  const timed = (text: string, time: number): string => aligned(text, `${time.toFixed(1)}s`, columns);
  const tasks = [...step.tasks.values()].map((task) => {
    const from = task.started ?? task.time;
    const until = task.completed ?? (isRunning ? now : task.time);
    const isOver = task.completed !== undefined || !isRunning;
    const text = timed(` => => ${task.id}${amountText(task)}`, Math.max(0, until - from) / 1000);
    return { text, step, paint: isOver ? paint : 'plain' } as const;
  });
  const warnings = step.warnings.map(({ short }) => ({
    ...{ text: timed(` => WARN: ${Buffer.from(short).toString()}`, 0), step, paint: 'plain' as const },
  }));
  const shows = isRunning && !isFinished && now - (step.started ?? now) > quiet;
  const output = shows ? step.lastLines.slice(-outputRows) : [];
  return [
    { text: timed(` => ${wordOf(step)}${step.name}`, seconds), step, paint },
    ...tasks,
    ...warnings,
    ...output.map(({ text }) => ({
      ...{ text: cut(` => => # ${printable(text)}`, columns - 1), step, paint: 'output' as const },
    })),
  ];
}

function wordOf(step: Step): string {
  if (step.error !== '') return isCanceled(step) ? 'CANCELED ' : 'ERROR ';
  return step.cached ? 'CACHED ' : '';
}

function paintOf(step: Step): Paint {
  if (step.completed === undefined) return 'plain';
  if (step.error === '') return 'done';
  return isCanceled(step) ? 'canceled' : 'failed';
}

/** Leaves out lines of finished steps, the first ones first, and then whatever is too much. */
function fitted(rows: readonly Row[], room: number): readonly Row[] {
  let spare = rows.length - room;
  const kept = rows.filter(({ step }) => {
    if (spare <= 0 || step?.completed === undefined) return true;
    spare -= 1;
    return false;
  });
  return spare > 0 ? kept.slice(spare) : kept;
}

/** Two texts at the ends of a line; what is too long of the first is cut off. */
function aligned(left: string, right: string, columns: number): string {
  const width = columns - right.length - 2;
  const text = cut(left, width);
  return `${text}${' '.repeat(Math.max(0, width - displayWidth(text)))} ${right}`;
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let shown = '';
  let used = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width) break;
    shown += character;
  }
  return shown;
}

/** A line of output as far as it moves no cursor: of what overwrites itself the last state. */
function printable(line: string): string {
  const shown = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  return shown
    .replace(new RegExp('\\u001b(?:\\[[0-9;?]*[ -/]*[@-~]|[^\\[])', 'g'), '')
    .replaceAll('\t', '  ')
    .replace(/\p{Cc}/gu, '');
}
