import type { StatusResponse } from '#buildkit';
import type { Output } from '../../output.ts';
import { BuildTrace, isCanceled, type OutputPiece, type Step, type StepNews } from './build-trace.ts';
import { errorLogs } from './error-logs.ts';
import type { Display } from './display.ts';
import { taskText } from './task-text.ts';

/** Milliseconds that a step may talk on while others wait. */
const fairness = 5_000;

/** Milliseconds in which news come together before they are shown, so that a quick step is told of in one go. */
const gathering = 100;

/** What has been told of a step, but not shown yet. */
interface Held {
  readonly step: Step;
  readonly tasks: Set<string>;
  readonly warnings: string[];
  readonly output: OutputPiece[];
  since: number;
}

/**
 * Lines in BuildKit's plain form: `#5 [2/3] RUN make`, `#5 0.123 output`, `#5 DONE 0.3s`. One step has the word until it
 * is done or others have waited for long; what those have to say is held back meanwhile.
 */
export class PlainDisplay implements Display {
  readonly #out: Output;
  readonly #now: () => number;
  readonly #trace = new BuildTrace();
  readonly #held = new Map<Step, Held>();
  #speaking: Step | undefined;
  #spokenSince = 0;
  /** The last line has not been ended. */
  #isOpen = false;
  #isFirst: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: Output, now: () => number, header?: string) {
    this.#out = out;
    this.#now = now;
    if (header !== undefined) out.write(`#0 ${header}\n`);
    this.#isFirst = header === undefined;
  }

  get trace(): BuildTrace {
    return this.#trace;
  }

  update(status: StatusResponse): void {
    for (const news of this.#trace.update(status)) this.#hold(news);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#speak();
    }, gathering);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#speak();
    for (const held of this.#inOrder()) this.#say(held);
    this.#endLine();
    this.#out.write(errorLogs(this.#trace));
  }

  #hold({ step, tasks, output, warnings }: StepNews): void {
    const held = this.#held.get(step) ?? {
      ...{ step, tasks: new Set<string>(), warnings: [], output: [], since: this.#now() },
    };
    this.#held.set(step, held);
    for (const id of tasks) held.tasks.add(id);
    for (const { short } of warnings) held.warnings.push(Buffer.from(short).toString());
    held.output.push(...output);
  }

  #speak(): void {
    // Steps that are done get the word at once, the speaking one first.
    const speaking = this.#speaking && this.#held.get(this.#speaking);
    if (speaking) this.#say(speaking);
    for (const held of this.#inOrder()) if (isDone(held.step)) this.#say(held);
    const waiting = [...this.#held.values()].filter(({ step }) => step.index > 0);
    const [next] = waiting.sort((a, b) => a.since - b.since);
    if (!next) return;
    const isOver = this.#now() - this.#spokenSince > fairness && this.#now() - next.since > fairness;
    if (!this.#speaking || isOver) this.#say(next);
  }

  /** What is held back, in the order in which the steps were started. */
  #inOrder(): readonly Held[] {
    return [...this.#held.values()].sort((a, b) => a.step.index - b.step.index);
  }

  #say(held: Held): void {
    const { step } = held;
    if (step.index === 0) return;
    this.#held.delete(step);
    this.#turnTo(step);
    for (const id of held.tasks) {
      const task = step.tasks.get(id);
      if (task) this.#line(step, `${id}${taskText(task)}`);
    }
    for (const warning of held.warnings) this.#line(step, `WARN: ${warning}`);
    for (const piece of held.output) this.#piece(step, piece);
    if (!isDone(step)) return;
    this.#endLine();
    this.#line(step, outcomeText(step));
    this.#speaking = undefined;
  }

  #turnTo(step: Step): void {
    if (this.#speaking === step) return;
    this.#endLine();
    if (this.#speaking) this.#out.write(`#${this.#speaking.index} ...\n`);
    this.#out.write(`${this.#isFirst ? '' : '\n'}#${step.index} ${step.name}\n`);
    this.#isFirst = false;
    this.#speaking = step;
    this.#spokenSince = this.#now();
  }

  #piece(step: Step, { text, isContinuation, isEnded }: OutputPiece): void {
    // A line that others have cut is begun anew.
    const prefix = isContinuation && this.#isOpen ? '' : `#${step.index} `;
    this.#out.write(`${prefix}${text}${isEnded ? '\n' : ''}`);
    this.#isOpen = !isEnded;
  }

  #line(step: Step, text: string): void {
    this.#endLine();
    this.#out.write(`#${step.index} ${text}\n`);
  }

  #endLine(): void {
    if (this.#isOpen) this.#out.write('\n');
    this.#isOpen = false;
  }
}

/** Over, and nothing in it goes on. */
const isDone = (step: Step): boolean =>
  step.completed !== undefined &&
  [...step.tasks.values()].every(
    ({ started, completed }) => started === undefined || completed !== undefined,
  );

function outcomeText(step: Step): string {
  if (step.error !== '') return isCanceled(step) ? 'CANCELED' : `ERROR: ${step.error}`;
  return step.cached ? 'CACHED' : `DONE ${(step.duration / 1000).toFixed(1)}s`;
}
