import { atMost, defineCommand } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { formatDuration } from '../../format/duration.ts';
import { binarySize } from '../../format/units.ts';
import type { BuilderNode } from '../../build/builder-nodes.ts';

export const command = defineCommand({
  synopsis: '[NAME]',
  summary: 'Show what is known of the builder',
  arguments: atMost(1),
  flags: {
    bootstrap: bool('Have it started first; it always runs'),
    builder: string('Name of the builder; there is the default one only'),
    debug: bool('Show more', { short: 'D', hidden: true }),
  },
  async run(context, { flags, args: [given] }) {
    const { findNode, onlyDefault, platformsOf } = await import('../../build/builder-nodes.ts');
    const name = context.contextName;
    const asked = given ?? flags.builder;
    if (asked !== name) onlyDefault(asked, context.config.folder);
    const node = await findNode(context);
    const labels = Object.entries(node.workers[0]?.labels ?? {}).map(([key, value]) => ` ${key}: ${value}`);
    context.out.write(
      [
        ...['Name:          ' + name, 'Driver:        docker', '', 'Nodes:'],
        ...['Name:             ' + name, 'Endpoint:         ' + name, 'Status:           running'],
        `BuildKit version: ${node.version?.version ?? ''}`,
        `Platforms:        ${platformsOf(node).join(', ')}`,
        ...(labels.length > 0 ? ['Labels:', ...labels] : []),
        ...policies(node),
        '',
      ].join('\n'),
    );
  },
});

const policies = ({ workers }: BuilderNode): string[] =>
  (workers[0]?.gcPolicy ?? []).flatMap((policy, at) => {
    const sizes: readonly (readonly [string, bigint])[] = [
      ['Reserved Space', policy.reservedSpace],
      ['Max Used Space', policy.maxUsedSpace],
      ['Min Free Space', policy.minFreeSpace],
    ];
    return [
      `GC Policy rule#${at}:`,
      ` All:            ${policy.all}`,
      ...(policy.filters.length > 0 ? [` Filters:        ${policy.filters.join(',')}`] : []),
      ...(policy.keepDuration > 0n ? [` Keep Duration:  ${formatDuration(policy.keepDuration)}`] : []),
      ...sizes.flatMap(([name, size]) =>
        size > 0n ? [` ${`${name}:`.padEnd(15)} ${binarySize(Number(size))}`] : [],
      ),
    ];
  });
