import { internal } from '#kernel';
import { extraAttributes, type LogInfo, type LogOptions } from './log-info.ts';
import { goTime } from './go-time.ts';

type Value = string | readonly string[] | LogOptions;
type Evaluate = (info: LogInfo) => Value;

const short = (id: string): string => id.slice(0, 12);
const quoteGo = (text: string): string => JSON.stringify(text);

/** What a tag template may name, as in Docker. */
const fields: Readonly<Record<string, Evaluate>> = {
  ID: (info) => short(info.containerId),
  FullID: (info) => info.containerId,
  Name: (info) => info.containerName,
  ImageID: (info) => short(info.imageId),
  ImageFullID: (info) => info.imageId,
  ImageName: (info) => info.imageName,
  Command: (info) => [info.entrypoint, ...info.args].join(' '),
  DaemonName: () => 'docker',
  Hostname: (info) => info.hostname,
  ContainerID: (info) => info.containerId,
  ContainerName: (info) => `/${info.containerName}`,
  ContainerEntrypoint: (info) => info.entrypoint,
  ContainerArgs: (info) => info.args,
  ContainerImageID: (info) => info.imageId,
  ContainerImageName: (info) => info.imageName,
  ContainerCreated: (info) => goTime(info.createdAt),
  ContainerEnv: (info) => info.env,
  ContainerLabels: (info) => info.labels,
};

const functions: Readonly<Record<string, (...args: Value[]) => Value>> = {
  json: (value = '') => JSON.stringify(value),
  upper: (value = '') => show(value).toUpperCase(),
  lower: (value = '') => show(value).toLowerCase(),
  title: (value = '') => show(value).replace(/\b\w/g, (letter) => letter.toUpperCase()),
  join: (value = [], separator = '') => (Array.isArray(value) ? value.join(show(separator)) : show(value)),
  split: (value = '', separator = '') => show(value).split(show(separator)),
  truncate: (value = '', length = '') => show(value).slice(0, Number(length)),
  index: (value = '', key = '') =>
    Array.isArray(value)
      ? show((value as string[])[Number(key)] ?? '')
      : ((value as LogOptions)[show(key)] ?? ''),
  print: (...values) => values.map(show).join(''),
  printf: (format = '', ...values) => {
    let next = 0;
    return show(format).replace(/%([svq%])/g, (_, verb: string) => {
      if (verb === '%') return '%';
      const text = show(values[next++] ?? '');
      return verb === 'q' ? quoteGo(text) : text;
    });
  },
};

/** A value as Go prints it. */
function show(value: Value): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.join(' ')}]`;
  const entries = Object.entries(value as LogOptions).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([name, text]) => `${name}:${text}`).join(' ')}]`;
}

const failed = (line: string): Error => internal(`template: log-tag:1: ${line}`);

/**
 * The tag of a container's records: the option `tag`, a Go template over the fields above with Docker's functions and
 * pipes; conditions and loops are refused. Throws in Go's words.
 */
export function expandTag(info: LogInfo, options: LogOptions): string {
  // An empty tag is none.
  const template = options['tag'] || '{{.ID}}';
  let result = '';
  let trim = false;
  for (let at = 0; at < template.length;) {
    const open = template.indexOf('{{', at);
    let text = template.slice(at, open < 0 ? undefined : open);
    if (trim) text = text.trimStart();
    if (open < 0) return result + text;
    const close = template.indexOf('}}', open);
    if (close < 0) throw failed('unclosed action');
    let action = template.slice(open + 2, close);
    if (/^-\s/.test(action)) text = text.trimEnd();
    trim = /\s-$/.test(action);
    action = action.replace(/^-\s/, '').replace(/\s-$/, '').trim();
    result += text + show(evaluatePipe(action, info, options, open + 2));
    at = close + 2;
  }
  return result;
}

function evaluatePipe(action: string, info: LogInfo, options: LogOptions, at: number): Value {
  const tokens: readonly string[] = action.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|\||[^\s|]+/g) ?? [];
  if (tokens.length === 0) throw failed('missing value for command');
  let piped: Value | undefined;
  for (let start = 0; start < tokens.length;) {
    const bar = tokens.indexOf('|', start);
    const words = tokens.slice(start, bar < 0 ? undefined : bar);
    const [head = '', ...rest] = words;
    const args = (list: readonly string[]): Value[] => list.map((word) => operand(word, info, options, at));
    const call = functions[head];
    if (call) piped = call(...args(rest), ...(piped === undefined ? [] : [piped]));
    else if (/^[a-z]/.test(head)) throw failed(`function "${head}" not defined`);
    else [piped = ''] = args([head]);
    start += words.length + 1;
  }
  return piped ?? '';
}

function operand(word: string, info: LogInfo, options: LogOptions, at: number): Value {
  if (word.startsWith('"')) return JSON.parse(word) as string;
  if (word.startsWith('`')) return word.slice(1, -1);
  if (!word.startsWith('.')) return word;
  const name = word.slice(1);
  if (name === 'ExtraAttributes') return extraAttributes(info, options);
  const field = fields[name];
  if (field) return field(info);
  throw internal(
    `template: log-tag:1:${at}: executing "log-tag" at <${word}>: can't evaluate field ${name} in type *logger.Info`,
  );
}
