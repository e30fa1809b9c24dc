import type { ProgressMessage } from '#api/types';
import { defineCommand, exactly } from '../../command.ts';
import { registryAuth } from '../../config/credentials.ts';
import { printLine } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { showProgress } from '../../terminal/progress.ts';
import { isHost } from './host-address.ts';
import { imagePath } from './path.ts';
import { platformJson } from './platform.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] NAME[:TAG]',
  synopses: ['[OPTIONS] NAME[:TAG] [NAME[:TAG]...] ssh://[USER@]HOST[:PORT]|unix://SOCKET|tcp://HOST:PORT'],
  summary: 'Send an image to a registry',
  description: 'Send an image to a registry, or images to the engine of another host',
  aliases: ['image push', 'push'],
  arguments: { ...exactly(1), extends: (args) => isHost(args.at(-1)) },
  flags: {
    'all-tags': bool('Send every tag of the repository', { short: 'a' }),
    'disable-content-trust': bool('No longer has an effect', { initial: true, hidden: true }),
    platform: string('Send this platform of the image only: os[/arch[/variant]]'),
    quiet: bool('Print nothing but the name', { short: 'q' }),
  },
  async run(context, { flags, args }) {
    const [name = ''] = args;
    const host = args.at(-1);
    if (args.length > 1 && isHost(host)) {
      const { pushToHost } = await import('./push-to-host.ts');
      return pushToHost(context, args.slice(0, -1), host, {
        allTags: flags['all-tags'],
        platform: flags.platform,
        quiet: flags.quiet,
      });
    }
    const { canonicalString, familiarName, parseReference, withDefaultTag } = await import('#oci');
    const reference = parseReference(name);
    if (flags['all-tags'] && (reference.tag !== undefined || reference.digest !== undefined)) {
      throw new Error("tag can't be used with --all-tags/-a");
    }
    const wanted = flags['all-tags'] ? reference : withDefaultTag(reference);
    if (wanted !== reference && !flags.quiet)
      printLine(context.out, `Using default tag: ${wanted.tag ?? ''}`);
    const messages = context.engine.objects<ProgressMessage>({
      method: 'POST',
      path: `${imagePath(familiarName(reference))}/push`,
      query: { tag: wanted.tag, platform: platformJson(flags.platform) },
      headers: { 'X-Registry-Auth': registryAuth(context.config, reference.domain) },
    });
    const columns = context.terminal.size()?.columns;
    await showProgress(messages, flags.quiet ? { write: () => undefined } : context.out, {
      isTerminal: !flags.quiet && context.terminal.stdoutIsTerminal,
      onAux: (aux) => {
        const note = noteOf(aux as Partial<PushedInstead>);
        if (note !== undefined) context.err.write(note);
      },
      ...(columns !== undefined && { columns }),
    });
    if (flags.quiet) printLine(context.out, canonicalString(wanted));
  },
});

/** What an engine tells when it could not send an index whole. */
interface PushedInstead {
  readonly manifestPushedInsteadOfIndex: boolean;
  readonly originalIndex: { readonly digest: string };
  readonly selectedManifest: { readonly digest: string };
}

function noteOf({ originalIndex, selectedManifest, ...told }: Partial<PushedInstead>): string | undefined {
  if (told.manifestPushedInsteadOfIndex !== true || !originalIndex || !selectedManifest) return undefined;
  return (
    '\n Info -> Not all multiplatform-content is present and only the available single-platform image was pushed\n' +
    `         ${originalIndex.digest} -> ${selectedManifest.digest}\n`
  );
}
