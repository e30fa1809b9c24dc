import { atLeast, defineCommand, ExitStatus } from '../../command.ts';
import { bool, list, string } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [CONTEXT|ENDPOINT]',
  summary: 'Not needed: the engine is the builder',
  arguments: atLeast(0),
  flags: {
    append: bool('', { hidden: true }),
    bootstrap: bool('', { hidden: true }),
    'buildkitd-config': string('', { hidden: true }),
    'buildkitd-flags': string('', { hidden: true }),
    debug: bool('', { short: 'D', hidden: true }),
    driver: string('', { hidden: true }),
    'driver-opt': list('', { hidden: true }),
    leave: bool('', { hidden: true }),
    name: string('', { hidden: true }),
    node: string('', { hidden: true }),
    platform: list('', { hidden: true }),
    use: bool('', { hidden: true }),
  },
  run({ program }) {
    throw new ExitStatus(
      1,
      `ERROR: builders other than the engine's own are not supported: several platforms, exported caches and every output work with it as it is; leave out \`${program} buildx create\``,
    );
  },
});
