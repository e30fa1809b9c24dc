import type { ImageDeleteResponseItem } from '#api/types';
import { ResponseError, isNotFound } from '#client';
import { messageOf } from '#kernel';
import { ExitStatus, atLeast, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool, list } from '../../flags/index.ts';
import { imagePath } from './path.ts';
import { platformJson } from './platform.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Remove one or more images',
  aliases: ['image rm', 'image remove', 'rmi'],
  arguments: atLeast(1),
  flags: {
    force: bool('Remove them though they are in use', { short: 'f' }),
    'no-prune': bool('Keep parents without a name'),
    platform: list('Remove only this platform of the image: os[/arch[/variant]]'),
  },
  async run(context, { flags, args }) {
    const errors: unknown[] = [];
    for (const name of args) {
      try {
        const deleted = await context.engine.json<readonly ImageDeleteResponseItem[]>({
          method: 'DELETE',
          path: imagePath(name),
          query: {
            force: flags.force,
            noprune: flags['no-prune'],
            platforms: flags.platform.flatMap((text) => platformJson(text) ?? []),
          },
        });
        for (const { Deleted, Untagged } of deleted) {
          printLine(context.out, Deleted ? `Deleted: ${Deleted}` : `Untagged: ${Untagged ?? ''}`);
        }
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 0) return;
    const text = errors.map(messageOf).join('\n');
    const fatal = errors.some((error) => !(error instanceof ResponseError && isNotFound(error)));
    if (fatal || !flags.force) throw new ExitStatus(1, text);
    context.err.write(`${text}\n`);
  },
});
