import type { ProgressMessage } from '#api/types';
import { failedCommand, type BuildObserver, type BuildPlans, type BuildWarning, type VertexId } from '#build';
import type { ProgressEvent } from '#images';
import { shortId } from '#kernel';
import type { Exchange } from '../exchange.ts';
import { viewFailure, viewProgress } from '../views/progress.ts';

/** A command that failed is told in the words of clients without BuildKit, with its exit code. */
function viewBuildFailure(error: unknown): ProgressMessage {
  const command = failedCommand(error);
  if (command?.exitCode === undefined) return viewFailure(error);
  const { args, exitCode } = command;
  const message = `The command '${args.join(' ')}' returned a non-zero code: ${exitCode}`;
  return { errorDetail: { code: exitCode, message }, error: message };
}

/** An instruction: its lines wait until all instructions before it are told. */
interface Told {
  readonly lines: string[];
  /** What has to be done until it is; undefined where there is nothing to do. */
  readonly work: VertexId | undefined;
  isBegun: boolean;
  isDone: boolean;
}

/**
 * The stream of a build for clients without BuildKit: the instructions one after the other, though they are done at the
 * same time. There are no images between them, and so no ids.
 */
export class BuildStream {
  readonly #exchange: Exchange;
  readonly #isQuiet: boolean;
  #instructions: readonly Told[] = [];
  /** Who is told next. */
  #next = 0;

  constructor(exchange: Exchange, isQuiet: boolean) {
    this.#exchange = exchange;
    this.#isQuiet = isQuiet;
  }

  /** What is wrong from here on is told in the stream. */
  pulling(event: ProgressEvent): void {
    this.#start();
    if (!this.#isQuiet) this.#write(viewProgress(event));
  }

  plan({ plans }: BuildPlans): BuildObserver {
    this.#start();
    const course = plans[0]?.course ?? [];
    this.#instructions = course.map(({ text, work }, index) => ({
      lines: [`Step ${index + 1}/${course.length} : ${text}\n`],
      ...{ work, isBegun: false, isDone: work === undefined },
    }));
    this.#tell();
    return {
      started: (id) => {
        for (const instruction of this.#of(id)) instruction.isBegun = true;
      },
      output: (id, _, data) => {
        this.#of(id)[0]?.lines.push(Buffer.from(data).toString());
        this.#tell();
      },
      completed: (id, { cached, error }) => {
        for (const instruction of this.#of(id)) {
          if (cached) instruction.lines.push(' ---> Using cache\n');
          instruction.isDone = error === undefined;
        }
        this.#tell();
      },
    };
  }

  warn(warnings: readonly BuildWarning[]): void {
    for (const { rule, message, location } of warnings) {
      const text = `[Warning] ${rule.name}: ${message} (line ${location.firstLine})\n`;
      if (!this.#isQuiet) this.#write({ stream: text });
    }
  }

  succeed(id: string, names: readonly string[]): void {
    if (this.#isQuiet) this.#write({ stream: `${id}\n` });
    else {
      for (const instruction of this.#instructions.slice(this.#next)) this.#flush(instruction);
      this.#write({ stream: ` ---> ${shortId(id)}\n` });
      this.#write({ aux: { ID: id } });
      this.#write({ stream: `Successfully built ${shortId(id)}\n` });
      for (const name of names) this.#write({ stream: `Successfully tagged ${withTag(name)}\n` });
    }
    this.#exchange.response.end();
  }

  /** What is known of the failed instruction, and of those beside it, is told first. */
  fail(error: unknown): void {
    if (!this.#exchange.response.headersSent) throw error;
    for (const instruction of this.#instructions.slice(this.#next)) {
      if (instruction.isBegun) this.#flush(instruction);
    }
    this.#write(viewBuildFailure(error));
    this.#exchange.response.end();
  }

  #start(): void {
    if (!this.#exchange.response.headersSent) this.#exchange.startStream('application/json');
  }

  /** Stages that begin alike do the same work once. */
  #of(id: VertexId): readonly Told[] {
    return this.#instructions.filter(({ work }) => work === id);
  }

  #tell(): void {
    for (;;) {
      const instruction = this.#instructions[this.#next];
      if (!instruction) return;
      this.#flush(instruction);
      if (!instruction.isDone) return;
      this.#next += 1;
    }
  }

  #flush({ lines }: Told): void {
    for (const line of lines.splice(0)) if (!this.#isQuiet) this.#write({ stream: line });
  }

  #write(message: object): void {
    this.#exchange.response.write(`${JSON.stringify(message)}\r\n`);
  }
}

const withTag = (name: string): string => (/:[^/]+$/.test(name) ? name : `${name}:latest`);
