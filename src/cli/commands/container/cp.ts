import { defineCommand, exactly } from '../../command.ts';
import type { Context } from '../../context.ts';
import { bool } from '../../flags/index.ts';
import { containerPath } from '../each.ts';
import { copyFrom } from './cp-from.ts';
import { copyTo } from './cp-to.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-',
  synopses: ['[OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH'],
  summary: 'Copy files between a container and this machine',
  description:
    'Copy files between a container and this machine\n\n' +
    "With '-' as the source a tar archive is read from standard input and unpacked in a folder of the container.\n" +
    "With '-' as the destination the files are written to standard output as a tar archive.",
  aliases: ['container cp', 'cp'],
  arguments: exactly(2),
  flags: {
    archive: bool('Keep the owners of the files', { short: 'a' }),
    'follow-link': bool('Copy what a symbolic link points to', { short: 'L' }),
    quiet: bool('Do not say what was copied', { short: 'q' }),
  },
  async run(context, { flags, args: [source = '', target = ''] }) {
    const from = splitPlace(source);
    const to = splitPlace(target);
    if (from.container !== '' && to.container !== '')
      throw new Error('copying between containers is not supported');
    if (from.container === '' && to.container === '')
      throw new Error('must specify at least one container source');
    if (from.container === '' && from.path === '') throw new Error('source can not be empty');
    if (to.container === '' && to.path === '') throw new Error('destination can not be empty');
    const options = { keepOwners: flags.archive, followLinks: flags['follow-link'] };
    const bytes =
      from.container !== ''
        ? await copyFrom(context, containerPath(from.container), from.path, to.path, options)
        : await copyTo(context, containerPath(to.container), from.path, to.path, options);
    if (bytes !== undefined) await say(context, flags.quiet, bytes, target);
  },
});

async function say(context: Context, quiet: boolean, bytes: number, target: string): Promise<void> {
  if (quiet || !context.terminal.stderrIsTerminal) return;
  const { decimalSize } = await import('../../format/units.ts');
  context.err.write(`Successfully copied ${decimalSize(bytes, 3)} to ${target}\n`);
}

/** `container:path`; absolute and relative paths with a dot in front are local whatever they contain. */
function splitPlace(text: string): { container: string; path: string } {
  const at = text.indexOf(':');
  if (text.startsWith('/') || text.startsWith('.') || at <= 0) return { container: '', path: text };
  return { container: text.slice(0, at), path: text.slice(at + 1) };
}
