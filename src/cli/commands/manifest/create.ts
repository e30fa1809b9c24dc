import { parseReference } from '#oci';
import { atLeast, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool } from '../../flags/index.ts';
import { listName, ManifestStore } from './manifest-store.ts';
import { fetchManifests } from './remote-manifests.ts';

export const command = defineCommand({
  synopsis: 'MANIFEST_LIST MANIFEST [MANIFEST...]',
  summary: 'Begin a list of manifests that can be pushed',
  arguments: atLeast(2),
  flags: {
    amend: bool('Add to a list that has been begun', { short: 'a' }),
    insecure: bool('Talk to registries without TLS, or with a certificate that nobody vouches for'),
  },
  async run(context, { flags, args: [list = '', ...names] }) {
    parseReference(list);
    const store = new ManifestStore(context.config.folder);
    if (store.list(list) && !flags.amend) {
      throw new Error('refusing to amend an existing manifest list with no --amend flag');
    }
    for (const name of names) {
      const kept = store.find(list, name);
      if (kept) continue;
      const { isList, manifests } = await fetchManifests(context, name, flags.insecure);
      const [manifest] = manifests;
      if (isList || !manifest) throw new Error(`${listName(name)} is a manifest list`);
      store.save(list, manifest);
    }
    printLine(context.out, `Created manifest list ${listName(list)}`);
  },
});
