import { digestOf, familiarName, objectOf, parseManifest, parseReference, withDefaultTag } from '#oci';
import { defineCommand, exactly } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool } from '../../flags/index.ts';
import { manifestList } from './image-manifest.ts';
import { listName, ManifestStore } from './manifest-store.ts';
import { RegistryAccess } from './registry-access.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] MANIFEST_LIST',
  summary: 'Send a list of manifests to a registry',
  arguments: exactly(1),
  flags: {
    insecure: bool('Talk to registries without TLS, or with a certificate that nobody vouches for'),
    purge: bool('Forget the list once it is there', { short: 'p' }),
  },
  async run(context, { flags, args: [list = ''] }) {
    const store = new ManifestStore(context.config.folder);
    const manifests = store.list(list);
    if (!manifests || manifests.length === 0) throw new Error(`No such manifest: ${listName(list)}`);
    const target = withDefaultTag(parseReference(list));
    const access = new RegistryAccess(context.config, target, flags.insecure);
    for (const { Ref, Raw, Descriptor } of manifests) {
      const source = parseReference(Ref);
      if (source.domain !== target.domain) {
        throw new Error(
          `cannot use source images from a different registry than the target image: ${source.domain} != ${target.domain}`,
        );
      }
      const bytes = Buffer.from(Raw, 'base64');
      if (source.path !== target.path) {
        const { config, layers } = parseManifest(bytes);
        for (const { digest } of [config, ...layers]) await access.mountBlob(digest, source.path);
      }
      await access.putManifest(Descriptor.digest, Descriptor.mediaType, bytes);
      const pushed = `${familiarName(target)}@${Descriptor.digest}`;
      printLine(context.out, `Pushed ref ${pushed} with digest: ${Descriptor.digest}`);
    }
    const { mediaType, text } = manifestList(manifests);
    await access.putManifest(objectOf(target), mediaType, Buffer.from(text));
    printLine(context.out, digestOf(Buffer.from(text)));
    if (flags.purge) store.remove(list);
  },
});
