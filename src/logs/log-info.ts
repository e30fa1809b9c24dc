import { internal } from '#kernel';

export type LogOptions = Readonly<Record<string, string>>;

/** What log drivers may tell of the container whose output they get. */
export interface LogInfo {
  readonly containerId: string;
  /** Without the leading slash. */
  readonly containerName: string;
  readonly imageId: string;
  readonly imageName: string;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
  readonly entrypoint: string;
  readonly args: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly labels: LogOptions;
  /** The host's name. */
  readonly hostname: string;
}

/**
 * The labels and variables that the options `labels`, `labels-regex`, `env` and `env-regex` ask for, by name in byte
 * order. `rename` makes a driver's field names of them. Throws when an expression is malformed.
 */
export function extraAttributes(
  info: LogInfo,
  options: LogOptions,
  rename: (name: string) => string = (name) => name,
): Record<string, string> {
  const variables = Object.fromEntries(
    info.env.flatMap((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [] : [[entry.slice(0, at), entry.slice(at + 1)] as const];
    }),
  );
  const chosen = new Map([
    ...pick(info.labels, options['labels'], options['labels-regex']),
    ...pick(variables, options['env'], options['env-regex']),
  ]);
  return Object.fromEntries(
    [...chosen].map(([name, value]) => [rename(name), value] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function pick(from: LogOptions, names = '', pattern = ''): (readonly [string, string])[] {
  const listed = new Set(names.split(','));
  const matches = pattern === '' ? undefined : parseRegex(pattern);
  return Object.entries(from).filter(([name]) => listed.has(name) || matches?.test(name));
}

function parseRegex(pattern: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch (error) {
    const unclosed = /[^\\]*\((?![^)]*\))/.test(pattern);
    throw internal(
      `error parsing regexp: ${unclosed ? 'missing closing )' : 'invalid syntax'}: \`${pattern}\``,
      error,
    );
  }
}
