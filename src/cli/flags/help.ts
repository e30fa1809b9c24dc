import type { FlagSet } from './parse.ts';

/** The options of a help text, one or more lines each, wrapped at `width` columns as pflag does. */
export function describeFlags(flags: FlagSet, width: number): string {
  const rows = Object.entries(flags)
    .filter(([, flag]) => flag.hidden !== true && flag.deprecated === undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => {
      const label = flag.short === undefined ? `      --${name}` : `  -${flag.short}, --${name}`;
      const shown = flag.shown === '' ? '' : ` (default ${flag.shown})`;
      return { left: flag.type === '' ? label : `${label} ${flag.type}`, right: flag.usage + shown };
    });
  const column = Math.max(0, ...rows.map(({ left }) => left.length)) + 3;
  return rows.map(({ left, right }) => left.padEnd(column) + wrap(right, column, width)).join('\n');
}

/** How far a last line may go beyond the width rather than leave one word alone. */
const slop = 5;

function wrap(text: string, indent: number, width: number): string {
  const newline = `\n${' '.repeat(indent)}`;
  const room = width - indent - slop;
  if (room + slop < 24) return text.replaceAll('\n', newline);
  const lines: string[] = [];
  for (let rest = text; rest !== '';) {
    const cut = breakAt(rest, room);
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut + 1);
  }
  return lines.join('\n').replaceAll('\n', newline);
}

function breakAt(text: string, room: number): number {
  if (text.length < room + slop) return text.length;
  const head = text.slice(0, room);
  const at = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'));
  if (at <= 0) return text.length;
  const newline = head.lastIndexOf('\n');
  return newline > 0 ? newline : at;
}
