import { ResponseError, isNotFound } from '#client';
import { ExitStatus, atLeast, defineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { formatUsage } from '../../format/usage.ts';
import { containerPath } from '../each.ts';
import { imagePath } from '../image/path.ts';
import { inspectAll } from '../inspect.ts';

/** Kinds of objects in the order in which they are tried, with their paths. */
const kinds: Readonly<Record<string, (name: string) => string>> = {
  container: (name) => `${containerPath(name)}/json`,
  image: (name) => `${imagePath(name)}/json`,
  network: (name) => `/networks/${encodeURIComponent(name)}`,
  volume: (name) => `/volumes/${encodeURIComponent(name)}`,
  service: (name) => `/services/${encodeURIComponent(name)}`,
  task: (name) => `/tasks/${encodeURIComponent(name)}`,
  node: (name) => `/nodes/${encodeURIComponent(name)}`,
  plugin: (name) => `/plugins/${encodeURI(name)}/json`,
  secret: (name) => `/secrets/${encodeURIComponent(name)}`,
  config: (name) => `/configs/${encodeURIComponent(name)}`,
};

/** Without a type: swarm's kinds are left out, they would only answer that there is no swarm. */
const guessed = ['container', 'image', 'network', 'volume', 'plugin'];

export const command = defineCommand({
  synopsis: '[OPTIONS] NAME|ID [NAME|ID...]',
  summary: 'Show everything about objects of any kind',
  arguments: atLeast(1),
  flags: {
    format: string(formatUsage(false), { short: 'f' }),
    size: bool('Show the sizes of the file systems of containers', { short: 's' }),
    type: string('Kind of the objects'),
  },
  async run(context, { flags, changed, args }) {
    if (changed.has('type') && !Object.hasOwn(kinds, flags.type)) {
      if (flags.type === '')
        throw new Error(
          'type is empty: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"',
        );
      const known = Object.keys(kinds)
        .sort()
        .map((kind) => JSON.stringify(kind));
      throw new ExitStatus(
        1,
        `unknown type: ${JSON.stringify(flags.type)}: must be one of ${known.join(', ')}`,
      );
    }
    const get = (kind: string, name: string): Promise<string> =>
      context.engine.text({
        method: 'GET',
        path: kinds[kind]?.(name) ?? '',
        query: { size: flags.size && kind === 'container' },
      });
    await inspectAll(context, args, flags.format, (name) =>
      flags.type === '' ? findAny(context, name, get) : get(flags.type, name),
    );
  },
});

async function findAny(
  _context: Context,
  name: string,
  get: (kind: string, name: string) => Promise<string>,
): Promise<string> {
  for (const kind of guessed) {
    try {
      return await get(kind, name);
    } catch (error) {
      const skip =
        isNotFound(error) ||
        (error instanceof ResponseError &&
          /not supported|invalid reference format|not a swarm manager/.test(error.reason));
      if (!skip) throw error;
    }
  }
  throw new Error(`Error: No such object: ${name}`);
}
