import { defineCommand, exactly } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { isHost } from './host-address.ts';
import { pullImage } from './pull-image.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] NAME[:TAG|@DIGEST]',
  synopses: ['[OPTIONS] NAME[:TAG] [NAME[:TAG]...] ssh://[USER@]HOST[:PORT]|unix://SOCKET|tcp://HOST:PORT'],
  summary: 'Fetch an image from a registry',
  description: 'Fetch an image from a registry, or images from the engine of another host',
  aliases: ['image pull', 'pull'],
  arguments: { ...exactly(1), extends: (args) => isHost(args.at(-1)) },
  flags: {
    'all-tags': bool('Fetch every tag of the repository', { short: 'a' }),
    'disable-content-trust': bool('No longer has an effect', { initial: true, hidden: true }),
    platform: string('Platform of the image, where the engine offers several'),
    quiet: bool('Print nothing but the name', { short: 'q' }),
  },
  async run(context, { flags, args }) {
    const [name = ''] = args;
    const host = args.at(-1);
    if (args.length > 1 && isHost(host)) {
      const { pullFromHost } = await import('./push-to-host.ts');
      return pullFromHost(context, args.slice(0, -1), host, {
        allTags: flags['all-tags'],
        platform: flags.platform,
        quiet: flags.quiet,
      });
    }
    const { canonicalString, parseReference, withDefaultTag } = await import('#oci');
    const reference = parseReference(name);
    const named = reference.tag !== undefined || reference.digest !== undefined;
    if (flags['all-tags'] && named) throw new Error("tag can't be used with --all-tags/-a");
    const wanted = flags['all-tags'] ? reference : withDefaultTag(reference);
    if (!flags['all-tags'] && !named && !flags.quiet) printLine(context.out, 'Using default tag: latest');
    await pullImage(context, name, {
      platform: flags.platform,
      quiet: flags.quiet,
      allTags: flags['all-tags'],
      out: context.out,
      isTerminal: context.terminal.stdoutIsTerminal,
    });
    printLine(context.out, canonicalString(wanted));
  },
});
