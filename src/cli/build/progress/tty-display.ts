import type { StatusResponse } from '#buildkit';
import type { Output } from '../../output.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { BuildTrace } from './build-trace.ts';
import type { Display } from './display.ts';
import { errorLogs } from './error-logs.ts';
import { ttyFrame, type Paint, type Row } from './tty-frame.ts';

/** Milliseconds between two pictures. */
const interval = 100;
/** Lines of a step's output that are kept for the case that it fails. */
const keptLines = 2000;
const narrowest = 40;

const colours: Readonly<Record<Paint, string>> = {
  done: '\u001b[34m',
  failed: '\u001b[31m',
  canceled: '\u001b[33m',
  output: '\u001b[2m',
  plain: '',
};

/** Redraws the state of a build in place. With NO_COLOR it does so without colours. */
export class TtyDisplay implements Display {
  readonly #out: Output;
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #isColoured: boolean;
  readonly #trace = new BuildTrace(keptLines);
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: Output, terminal: Terminal, now: () => number, isColoured: boolean) {
    this.#out = out;
    this.#terminal = terminal;
    this.#now = now;
    this.#isColoured = isColoured;
  }

  update(status: StatusResponse): void {
    this.#trace.update(status);
    if (this.#timer) return;
    this.#draw(false);
    this.#timer = setInterval(() => this.#draw(false), interval);
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#timer) this.#draw(true);
    this.#timer = undefined;
    this.#out.write(errorLogs(this.#trace));
  }

  #draw(isFinished: boolean): void {
    const { columns, rows } = this.#terminal.size() ?? { columns: 80, rows: 24 };
    const frame = ttyFrame(this.#trace, {
      ...{ now: this.#now(), isFinished, columns: Math.max(columns, narrowest) },
      rows: isFinished ? Infinity : rows - 1,
    });
    const back = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A`;
    const lines = frame.map((row) => `${this.#painted(row)}\u001b[K\n`);
    // In one piece, with the cursor out of sight: nothing flickers.
    this.#out.write(`\u001b[?25l${back}\r${lines.join('')}\u001b[J\u001b[?25h`);
    this.#drawn = frame.length;
  }

  #painted({ text, paint }: Row): string {
    const colour = this.#isColoured ? colours[paint] : '';
    return colour === '' ? text : `${colour}${text}\u001b[0m`;
  }
}
