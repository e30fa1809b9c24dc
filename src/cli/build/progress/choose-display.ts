import type { Context } from '../../context.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { noDisplay, type Display } from './display.ts';
import { PlainDisplay } from './plain-display.ts';
import { RawJsonDisplay } from './raw-json-display.ts';
import { TtyDisplay } from './tty-display.ts';

export type DisplayPlace = Pick<Context, 'err' | 'terminal' | 'env' | 'now'>;

export type ProgressMode = 'plain' | 'tty' | 'rawjson' | 'quiet' | 'none';

/** The word of --progress or $BUILDKIT_PROGRESS, with what `auto` comes to. Throws buildx's text. */
export function progressMode(word: string, { stderrIsTerminal }: Terminal): ProgressMode {
  switch (word) {
    case '':
    case 'auto':
      return stderrIsTerminal ? 'tty' : 'plain';
    case 'plain':
    case 'tty':
    case 'rawjson':
    case 'quiet':
    case 'none':
      return word;
    default:
      throw new Error(`invalid progress mode ${word}`);
  }
}

const header = 'building with "default" instance using docker driver';

/** What shows the progress of builds on standard error. */
export function chooseDisplay(mode: ProgressMode, context: DisplayPlace): Display {
  const { err, terminal, env } = context;
  const now = (): number => context.now();
  switch (mode) {
    case 'plain':
      return new PlainDisplay(err, now, header);
    case 'tty':
      return new TtyDisplay(err, terminal, now, (env['NO_COLOR'] ?? '') === '');
    case 'rawjson':
      return new RawJsonDisplay(err);
    case 'quiet':
    case 'none':
      return noDisplay;
  }
}
