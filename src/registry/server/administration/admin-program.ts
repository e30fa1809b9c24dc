import { parseArgs } from 'node:util';
import { invalidArgument, messageOf } from '#kernel';
import { sizeInWords } from '../configuration/units.ts';
import type { RepositoryUsage } from '../registry-server.ts';
import { askRegistry } from './admin-client.ts';
import type { HousekeepingReport, RoundOptions } from './housekeeping.ts';

const flags = {
  root: { type: 'string', default: '/var/lib/wharf-registry' },
  'dry-run': { type: 'boolean', default: false },
  untagged: { type: 'boolean' },
  grace: { type: 'string' },
  all: { type: 'boolean', default: false },
  format: { type: 'string', default: 'table' },
} as const;

export const adminVerbs = ['gc', 'retention', 'df', 'reload'] as const;
type AdminVerb = (typeof adminVerbs)[number];

/** `gc`, `retention`, `df` and `reload` of a registry that is being served. Resolves to the exit code. */
export async function runAdministration(verb: AdminVerb, argv: readonly string[]): Promise<number> {
  try {
    process.stdout.write(await run(verb, argv));
    return 0;
  } catch (error) {
    process.stderr.write(`wharf registry: ${messageOf(error)}\n`);
    return 1;
  }
}

async function run(verb: AdminVerb, argv: readonly string[]): Promise<string> {
  const { values, positionals } = parseArgs({ args: [...argv], options: flags, allowPositionals: true });
  const ask = (what: string, options: object): Promise<unknown> => askRegistry(values.root, what, options);
  const asJson = values.format === 'json';
  if (!asJson && values.format !== 'table') throw invalidArgument('--format is table or json');
  if (verb === 'reload') {
    await ask('reload', {});
    return '';
  }
  if (verb === 'df') {
    // The other end is this program too.
    const usage = (await ask('usage', {})) as readonly RepositoryUsage[];
    return asJson ? `${JSON.stringify(usage)}\n` : usageTable(usage);
  }
  const options: RoundOptions = {
    dryRun: values['dry-run'],
    repositories: positionals,
    retentionOnly: verb === 'retention',
    graceMs: values.grace === undefined ? undefined : graceOf(values.grace),
    untagged: values.untagged,
  };
  const report = (await ask('round', options)) as HousekeepingReport;
  return asJson ? `${JSON.stringify(report)}\n` : reportTable(report, options, values.all);
}

function graceOf(text: string): number {
  const minutes = Number(text);
  if (text === '' || !(minutes >= 0)) throw invalidArgument(`--grace: ${text} is no number of minutes`);
  return minutes * 60_000;
}

function usageTable(usage: readonly RepositoryUsage[]): string {
  return table([
    ['REPOSITORY', 'TAGS', 'MANIFESTS', 'SIZE', 'QUOTA'],
    ...usage.map(({ name, tags, manifests, size, quota }) => [
      name,
      String(tags),
      String(manifests),
      sizeInWords(size),
      quota === undefined ? '' : `${sizeInWords(quota)} (${percent(size, quota)})`,
    ]),
  ]);
}

const percent = (used: number, limit: number): string =>
  limit === 0 ? 'full' : `${Math.round((100 * used) / limit)}% used`;

/** What goes and why; with `all` also what stays and why. */
function reportTable(
  { retention, collected }: HousekeepingReport,
  { dryRun, retentionOnly }: RoundOptions,
  all: boolean,
): string {
  const rows = retention.flatMap(({ repository, tags, manifests }) => [
    ...tags
      .filter(({ kept }) => all || !kept)
      .map(({ tag, kept, why }) => [repository, tag, kept ? 'keep' : 'remove', why]),
    ...manifests.map(({ digest, why }) => [repository, digest.slice(0, 19), 'remove', why]),
  ]);
  const tags = retention.flatMap((plan) => plan.tags.filter(({ kept }) => !kept)).length;
  const manifests = retention.flatMap((plan) => plan.manifests).length + collected.manifests;
  const freed = retentionOnly ? '' : `, freed ${sizeInWords(collected.bytes)} in ${collected.blobs} blobs`;
  const sum = `${dryRun ? 'Would remove' : 'Removed'} ${tags} tags and ${manifests} manifests${freed}\n`;
  const list =
    rows.length === 0 ? '' : `${table([['REPOSITORY', 'TAG OR DIGEST', 'ACTION', 'WHY'], ...rows])}\n`;
  return list + (dryRun ? sum.replace('freed', 'free') : sum);
}

/** Columns as wide as their widest entry, three blanks apart. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 3))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}
