import type { Output } from '../../output.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { noDisplay, type Display } from './display.ts';
import { PlainDisplay } from './plain-display.ts';
import { RawJsonDisplay } from './raw-json-display.ts';

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

/** What shows the progress of builds on an output. */
export function chooseDisplay(mode: ProgressMode, out: Output, now: () => number): Display {
  switch (mode) {
    case 'plain':
    case 'tty':
      return new PlainDisplay(out, now, header);
    case 'rawjson':
      return new RawJsonDisplay(out);
    case 'quiet':
    case 'none':
      return noDisplay;
  }
}
