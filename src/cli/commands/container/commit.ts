import type { IDResponse } from '#api/types';
import { between, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool, list, string } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  summary: 'Make an image from what a container changed',
  aliases: ['container commit', 'commit'],
  arguments: between(1, 2),
  flags: {
    author: string('Author of the image', { short: 'a' }),
    change: list('Dockerfile instruction to apply to the image', { short: 'c' }),
    message: string('Message for the history of the image', { short: 'm' }),
    'no-pause': bool('Let the container run on meanwhile'),
    pause: bool('Pause the container meanwhile', { short: 'p', initial: true, hidden: true }),
  },
  async run(context, { flags, args: [container = '', name] }) {
    const { Id } = await context.engine.json<IDResponse>({
      method: 'POST',
      path: '/commit',
      query: {
        container,
        ...(await target(name)),
        author: flags.author || undefined,
        comment: flags.message || undefined,
        changes: flags.change,
        pause: flags['no-pause'] || !flags.pause ? '0' : undefined,
      },
      json: {},
    });
    printLine(context.out, Id);
  },
});

async function target(name: string | undefined): Promise<{ repo?: string; tag?: string }> {
  if (name === undefined || name === '') return {};
  const { familiarName, parseReference, withDefaultTag } = await import('#oci');
  const reference = withDefaultTag(parseReference(name));
  if (reference.digest !== undefined) throw new Error('refusing to create a tag with a digest reference');
  return { repo: familiarName(reference), ...(reference.tag !== undefined && { tag: reference.tag }) };
}
