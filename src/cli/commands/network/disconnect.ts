import { defineCommand, exactly } from '../../command.ts';
import { bool } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Disconnect a container from a network',
  arguments: exactly(2),
  flags: { force: bool('Disconnect it even if the container is gone', { short: 'f' }) },
  run: (context, { flags, args: [network = '', Container = ''] }) =>
    context.engine.done({
      method: 'POST',
      path: `/networks/${encodeURIComponent(network)}/disconnect`,
      json: { Container, Force: flags.force },
    }),
});
