import { invalidArgument } from '#kernel';
import type { RuntimeProgram } from '#runtime';

/**
 * Further OCI runtimes by name: the path of `--add-runtime`, or an entry of `runtimes` in daemon.json, as JSON, with
 * `path` and `runtimeArgs`. Throws invalidArgument, also for containerd's shims, which nothing here could start.
 */
export function parseRuntimes(
  entries: Readonly<Record<string, string>>,
): Readonly<Record<string, RuntimeProgram>> {
  return Object.fromEntries(
    Object.entries(entries).map(([name, text]) => {
      if (reserved.has(name)) throw invalidArgument(`runtime name '${name}' is reserved`);
      return [name, text.startsWith('{') ? fromObject(name, text) : { path: text, args: [] }];
    }),
  );
}

const reserved = new Set(['crun', 'runc', 'io.containerd.runc.v2']);
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function fromObject(name: string, text: string): RuntimeProgram {
  // What parseFile() has read from JSON itself.
  const entry = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(entry).find((key) => key !== 'path' && key !== 'runtimeArgs');
  if (unknown !== undefined)
    throw invalidArgument(`runtime ${name}: ${unknown} is not supported: give the program's path`);
  const { path, runtimeArgs: args = [] } = entry;
  if (typeof path !== 'string' || path === '' || !isTexts(args)) {
    throw invalidArgument(`runtime ${name}: it needs a path, and runtimeArgs that are texts`);
  }
  return { path, args };
}
