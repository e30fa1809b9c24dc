import type { FilesystemChange } from '#api/types';
import { defineCommand, exactly } from '../../command.ts';
import { renderListing } from '../../format/listing.ts';
import { containerPath } from '../each.ts';

const kinds: Readonly<Record<number, string>> = { 0: 'C', 1: 'A', 2: 'D' };

export const command = defineCommand({
  synopsis: 'CONTAINER',
  summary: 'Show which files of a container differ from its image',
  aliases: ['container diff', 'diff'],
  arguments: exactly(1),
  flags: {},
  async run(context, { args: [name = ''] }) {
    if (name === '') throw new Error('Container name cannot be empty');
    const changes = await context.engine.json<readonly FilesystemChange[] | null>({
      method: 'GET',
      path: `${containerPath(name)}/changes`,
    });
    const listing = {
      typeName: '*formatter.diffContext',
      headers: { Type: 'CHANGE TYPE', Path: 'PATH' },
      columns: (change: FilesystemChange) => ({
        Type: () => kinds[change.Kind] ?? '',
        Path: () => change.Path,
      }),
    };
    context.out.write(renderListing(changes ?? [], '{{.Type}} {{.Path}}', listing));
  },
});
