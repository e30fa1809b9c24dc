import { isNotFound } from '#client';
import { messageOf } from '#kernel';
import { ExitStatus, atLeast, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: 'NETWORK [NETWORK...]',
  summary: 'Remove one or more networks',
  aliases: ['network rm', 'network remove'],
  arguments: atLeast(1),
  flags: { force: bool('Networks that do not exist are no error', { short: 'f' }) },
  async run(context, { flags, args }) {
    let failed = false;
    for (const name of args) {
      try {
        await context.engine.done({ method: 'DELETE', path: `/networks/${encodeURIComponent(name)}` });
        printLine(context.out, name);
      } catch (error) {
        if (flags.force && isNotFound(error)) continue;
        context.err.write(`${messageOf(error)}\n`);
        failed = true;
      }
    }
    if (failed) throw new ExitStatus(1, 'exit status 1');
  },
});
