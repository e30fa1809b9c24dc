import { atLeast, defineCommand } from '../../command.ts';
import { listName, ManifestStore } from './manifest-store.ts';

export const command = defineCommand({
  synopsis: 'MANIFEST_LIST [MANIFEST_LIST...]',
  summary: 'Forget one or more lists of manifests',
  arguments: atLeast(1),
  flags: {},
  run(context, { args }) {
    const store = new ManifestStore(context.config.folder);
    const missing = args.filter((name) => !store.list(name));
    for (const name of args) store.remove(name);
    if (missing.length > 0) {
      throw new Error(missing.map((name) => `No such manifest: ${listName(name)}`).join('\n'));
    }
    return Promise.resolve();
  },
});
