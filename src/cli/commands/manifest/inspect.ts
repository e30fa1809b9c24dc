import { between, defineCommand } from '../../command.ts';
import { printLine, type Context } from '../../context.ts';
import { bool } from '../../flags/index.ts';
import { manifestList, type ImageManifest } from './image-manifest.ts';
import { listName, ManifestStore } from './manifest-store.ts';
import { fetchManifests } from './remote-manifests.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [MANIFEST_LIST] MANIFEST',
  summary: 'Show a manifest, or a list of manifests',
  arguments: between(1, 2),
  flags: {
    insecure: bool('Talk to registries without TLS, or with a certificate that nobody vouches for'),
    verbose: bool('Show layers and platforms too', { short: 'v' }),
  },
  async run(context, { flags, args: [first = '', second] }) {
    const store = new ManifestStore(context.config.folder);
    if (second !== undefined) {
      const manifest = store.find(first, second);
      if (!manifest) throw new Error(`No such manifest: ${listName(second)}`);
      showOne(context, manifest, flags.verbose);
      return;
    }
    const local = store.list(first);
    const { isList, manifests } = local
      ? { isList: true, manifests: local }
      : await fetchManifests(context, first, flags.insecure);
    const [manifest] = manifests;
    if (!isList && manifest) showOne(context, manifest, flags.verbose);
    else {
      const text = flags.verbose ? JSON.stringify(manifests, null, '\t') : manifestList(manifests).text;
      printLine(context.out, text);
    }
  },
});

function showOne(context: Context, manifest: ImageManifest, verbose: boolean): void {
  const shown: unknown = verbose ? manifest : JSON.parse(Buffer.from(manifest.Raw, 'base64').toString());
  printLine(context.out, JSON.stringify(shown, null, '\t'));
}
