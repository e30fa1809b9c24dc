import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { StatusResponse, VertexWarning } from '#buildkit';

/** Something that goes on within a step, such as a transfer. Times are milliseconds since the epoch. */
export interface StepTask {
  readonly id: string;
  /** Bytes or pieces; 0: not known. */
  readonly current: number;
  readonly total: number;
  readonly time: number;
  readonly started: number | undefined;
  readonly completed: number | undefined;
}

/** What is known of one vertex of a build. */
export interface Step {
  readonly digest: string;
  name: string;
  /** From 1, in the order in which steps were started; 0: not yet. */
  index: number;
  cached: boolean;
  error: string;
  started: number | undefined;
  completed: number | undefined;
  /** Milliseconds of all the times that it ran. */
  duration: number;
  readonly tasks: Map<string, StepTask>;
  readonly warnings: VertexWarning[];
  /** The last lines of output; the last one may be unfinished. */
  readonly lastLines: OutputLine[];
}

/** News of one step since the last update. */
export interface StepNews {
  readonly step: Step;
  /** Tasks that have changed, by id. */
  readonly tasks: Set<string>;
  /** Pieces of output: `text` is a line or its continuation; `isEnded`: a line feed follows. */
  readonly output: OutputPiece[];
  readonly warnings: VertexWarning[];
}

export interface OutputPiece {
  readonly text: string;
  readonly isContinuation: boolean;
  readonly isEnded: boolean;
}

export interface OutputLine {
  /** Seconds since the start of the step. */
  readonly seconds: string;
  text: string;
}

/** Puts together what an engine tells of builds, piece by piece. */
export class BuildTrace {
  readonly #keptLines: number;
  readonly #steps = new Map<string, Step>();
  /** Whose last line is unfinished. */
  readonly #open = new Set<Step>();
  readonly #decoders = new Map<Step, TextDecoder>();
  readonly warnings: VertexWarning[] = [];
  #started = 0;

  /** `keptLines`: how many of the last lines of each step are kept. */
  constructor(keptLines = 10) {
    this.#keptLines = keptLines;
  }

  /** Steps in the order in which they were first told of. */
  get steps(): Iterable<Step> {
    return this.#steps.values();
  }

  /** Takes one message and says what is new, step by step. */
  update(status: StatusResponse): StepNews[] {
    const news = new Map<string, StepNews>();
    const newsOf = (digest: string): StepNews => {
      const known = news.get(digest) ?? {
        step: this.#step(digest),
        tasks: new Set<string>(),
        output: [],
        warnings: [],
      };
      news.set(digest, known);
      return known;
    };
    for (const vertex of status.vertexes) {
      const { step } = newsOf(vertex.digest);
      if (vertex.name !== '') step.name = vertex.name;
      step.cached = vertex.cached;
      step.error = vertex.error;
      this.#run(step, millisecondsOf(vertex.started), millisecondsOf(vertex.completed));
    }
    for (const { vertex, id, current, total, timestamp, started, completed } of status.statuses) {
      const { step, tasks } = newsOf(vertex);
      tasks.add(id);
      step.tasks.set(id, {
        ...{ id, current: Number(current), total: Number(total), time: millisecondsOf(timestamp) ?? 0 },
        ...{ started: millisecondsOf(started), completed: millisecondsOf(completed) },
      });
    }
    for (const warning of status.warnings) {
      this.warnings.push(warning);
      const { step, warnings } = newsOf(warning.vertex);
      step.warnings.push(warning);
      warnings.push(warning);
    }
    for (const { vertex, timestamp, msg } of status.logs) {
      const { step, output } = newsOf(vertex);
      output.push(...this.#split(step, millisecondsOf(timestamp) ?? 0, msg));
    }
    return [...news.values()];
  }

  #step(digest: string): Step {
    const known = this.#steps.get(digest);
    if (known) return known;
    const step: Step = {
      ...{ digest, name: '', index: 0, cached: false, error: '', duration: 0 },
      ...{ started: undefined, completed: undefined, tasks: new Map(), warnings: [], lastLines: [] },
    };
    this.#steps.set(digest, step);
    return step;
  }

  #run(step: Step, started: number | undefined, completed: number | undefined): void {
    if (started === undefined) return;
    if (step.index === 0) step.index = this.#started += 1;
    const isOver = completed !== undefined && completed !== step.completed;
    step.started = started;
    step.completed = completed;
    if (isOver) step.duration += completed - started;
  }

  #split(step: Step, time: number, bytes: Uint8Array): OutputPiece[] {
    const decoder = this.#decoders.get(step) ?? new TextDecoder();
    this.#decoders.set(step, decoder);
    const lines = decoder.decode(bytes, { stream: true }).split('\n');
    const rest = lines.pop() ?? '';
    const pieces = lines.map((text) => this.#piece(step, time, text, true));
    if (rest !== '') pieces.push(this.#piece(step, time, rest, false));
    return pieces;
  }

  #piece(step: Step, time: number, text: string, isEnded: boolean): OutputPiece {
    const isContinuation = this.#open.delete(step);
    if (!isEnded) this.#open.add(step);
    const { lastLines } = step;
    const last = isContinuation ? lastLines.at(-1) : undefined;
    if (last) last.text += text;
    else lastLines.push({ seconds: secondsText(Math.max(0, time - (step.started ?? time))), text });
    if (lastLines.length > this.#keptLines) lastLines.shift();
    const piece = isContinuation ? text : lineText(lastLines.at(-1));
    return { text: piece, isContinuation, isEnded };
  }
}

const millisecondsOf = (time: Timestamp | undefined): number | undefined => time && timestampMs(time);

/** With about four digits: `0.123`, `12.34`, `123.4`. */
function secondsText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
}

/** A line of output with its time before it. */
export const lineText = (line: OutputLine | undefined): string =>
  line ? `${line.seconds} ${line.text}` : '';

/** Whether a step was given up because others failed or the build was. */
export const isCanceled = ({ error }: Step): boolean => error.endsWith('context canceled');
