import { messageOf } from '#kernel';
import { defineCommand, noArguments } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { tabulate } from '../../format/tabwriter.ts';

export const command = defineCommand({
  synopsis: '',
  summary: 'List builders',
  arguments: noArguments,
  flags: {
    debug: bool('Show more', { short: 'D', hidden: true }),
    format: string('table or json', { initial: 'table' }),
    'no-trunc': bool('Show all platforms'),
  },
  async run(context, { flags }) {
    if (flags.format !== 'table' && flags.format !== 'json') {
      throw new Error(`format ${JSON.stringify(flags.format)} is not supported: table or json`);
    }
    const { findNode, platformsOf } = await import('../../build/builder-nodes.ts');
    const name = context.contextName;
    const node = await findNode(context).catch((error: unknown) => messageOf(error));
    const status = typeof node === 'string' ? 'error' : 'running';
    const version = typeof node === 'string' ? '' : (node.version?.version ?? '');
    const platforms = typeof node === 'string' ? [] : platformsOf(node);
    if (flags.format === 'json') {
      const nodes = [{ Endpoint: name, Name: name, Platforms: platforms, Status: status, Version: version }];
      const shown = { Current: true, Driver: 'docker', Dynamic: false, Name: name, Nodes: nodes };
      context.out.write(`${JSON.stringify(shown)}\n`);
      return;
    }
    const rows = [
      ['NAME/NODE', 'DRIVER/ENDPOINT', 'STATUS', 'BUILDKIT', 'PLATFORMS'],
      [`${name}*`, 'docker', '', '', ''],
      [
        ` \\_ ${name}`,
        ` \\_ ${name}`,
        status,
        version,
        flags['no-trunc'] ? platforms.join(', ') : shortened(platforms),
      ],
    ];
    context.out.write(`${tabulate(rows.map((row) => row.join('\t')).join('\n'))}\n`);
    if (typeof node === 'string') context.err.write(`Cannot load builder ${name}: ${node}\n`);
  },
});

/** Variants behind their architecture: `linux/amd64 (+3), linux/386`. */
function shortened(platforms: readonly string[]): string {
  const groups = new Map<string, number>();
  for (const platform of platforms) {
    const group = platform.split('/').slice(0, 2).join('/');
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  return [...groups].map(([group, count]) => (count > 1 ? `${group} (+${count})` : group)).join(', ');
}
