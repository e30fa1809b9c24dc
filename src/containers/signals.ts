import { constants } from 'node:os';
import { invalidArgument } from '#kernel';

/** `TERM`, `SIGTERM`, `15`, `RTMIN+3` → number. Throws invalidArgument such as `invalid signal: X`. */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= 64) return number;
    throw invalidArgument(
      number === 0 ? `invalid signal: ${text}` : `the linux daemon does not support signal ${text}`,
    );
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realtime) {
    const base = realtime[1] === 'MIN' ? 34 : 64;
    const offset = Number(realtime[3] ?? 0) * (realtime[2] === '-' ? -1 : 1);
    const number = base + offset;
    if (number >= 34 && number <= 64) return number;
    throw invalidArgument(`invalid signal: ${text}`);
  }
  const number = Object.entries(constants.signals).find(([known]) => known === `SIG${name}`)?.[1];
  if (number === undefined) throw invalidArgument(`invalid signal: ${text}`);
  return number;
}
