import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Control, type BuildHistoryRecord } from '#buildkit';
import type { Context } from '../context.ts';
import { ago } from '../format/time.ts';
import type { Listing } from '../format/listing.ts';
import { withBuilder } from './builder-nodes.ts';
import { PlainDisplay } from './progress/plain-display.ts';
import { RawJsonDisplay } from './progress/raw-json-display.ts';

/** What the engine remembers of builds, the latest first. */
export async function listHistory(context: Context): Promise<BuildHistoryRecord[]> {
  const records = new Map<string, BuildHistoryRecord>();
  await withBuilder(context, async (calls, signal) => {
    for await (const { record } of calls.stream(
      Control.method.listenBuildHistory,
      { earlyExit: true },
      { signal },
    )) {
      if (record) records.set(record.ref, record);
    }
  });
  return [...records.values()].sort((a, b) => startOf(b) - startOf(a));
}

const startOf = ({ createdAt }: BuildHistoryRecord): number => (createdAt ? timestampMs(createdAt) : 0);

/**
 * The build of a reference: its id, with the builder's name before it or not, `^1` for the last but one; the latest one
 * where none is given. Throws buildx's text.
 */
export function findBuild(
  records: readonly BuildHistoryRecord[],
  reference: string | undefined,
): BuildHistoryRecord {
  const offset = reference === undefined ? '0' : /^\^(\d+)$/.exec(reference)?.[1];
  const id = reference?.split('/').at(-1) ?? '';
  const found = offset === undefined ? records.find(({ ref }) => ref === id) : records[Number(offset)];
  if (found) return found;
  throw new Error(
    reference === undefined ? 'no records found' : `no record found for ref ${JSON.stringify(reference)}`,
  );
}

/** How a build is called: by what it was told, or by its context and stage. */
export function buildName({ frontendAttrs }: BuildHistoryRecord): string {
  const named = frontendAttrs['build-arg:BUILDKIT_BUILD_NAME'];
  if (named) return named;
  const context = frontendAttrs['context'] ?? frontendAttrs['vcs:localdir:context'] ?? '';
  const target = frontendAttrs['target'] ? ` (${frontendAttrs['target']})` : '';
  const file = frontendAttrs['filename'] ?? 'Dockerfile';
  const place =
    context
      .replace(/#.*$/, '')
      .split('/')
      .filter((part) => part !== '')
      .at(-1) ?? '';
  return `${place === '' ? file : place}${target}`;
}

export function buildStatus({ completedAt, error }: BuildHistoryRecord): string {
  if (!completedAt) return 'Running';
  if (!error) return 'Completed';
  // gRPC's code for what was given up.
  return error.code === 1 ? 'Canceled' : 'Error';
}

/** `0.8s`, `1m 2s`. */
export function buildDuration(record: BuildHistoryRecord, now: number): string {
  const end = record.completedAt ? timestampMs(record.completedAt) : now;
  const seconds = Math.max(0, end - startOf(record)) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  return `${Math.floor(seconds / 60)}m ${Math.floor(seconds % 60)}s`;
}

export const historyListing = (now: number): Listing<BuildHistoryRecord> => ({
  typeName: '*commands.lsContext',
  headers: { Ref: 'BUILD ID', Name: 'NAME', Status: 'STATUS', CreatedAt: 'CREATED AT', Duration: 'DURATION' },
  columns: (record) => ({
    Ref: () => record.ref,
    Name: () => buildName(record),
    Status: () => buildStatus(record),
    CreatedAt: () => ago(startOf(record), now),
    Duration: () => buildDuration(record, now),
  }),
});

/** All that is known of a build, but for what lies in its attachments. */
export function describeBuild(record: BuildHistoryRecord, now: number): string {
  const { frontendAttrs, error } = record;
  const started = new Date(startOf(record)).toISOString().slice(0, 19).replace('T', ' ');
  const share =
    record.numTotalSteps > 0 ? Math.round((record.numCachedSteps / record.numTotalSteps) * 100) : 0;
  const rows: readonly (readonly [string, string])[] = [
    ['Name', buildName(record)],
    ['Ref', record.ref],
    ['Dockerfile', frontendAttrs['filename'] ?? 'Dockerfile'],
    ['Target', frontendAttrs['target'] ?? ''],
    ['Platforms', frontendAttrs['platform'] ?? ''],
    ['Status', buildStatus(record)],
    ['Started', started],
    ['Duration', buildDuration(record, now)],
    ['Build Steps', `${record.numCompletedSteps}/${record.numTotalSteps} (${share}% cached)`],
    ['Error', error?.message ?? ''],
  ];
  const args = Object.entries(frontendAttrs)
    .filter(([name]) => name.startsWith('build-arg:'))
    .map(([name, value]) => `  ${name.slice('build-arg:'.length)}=${value}`);
  return [
    ...rows.filter(([, value]) => value !== '').map(([name, value]) => `${`${name}:`.padEnd(13)} ${value}`),
    ...(args.length > 0 ? ['Build arguments:', ...args] : []),
    '',
  ].join('\n');
}

/** Shows again what a build told while it ran. */
export async function replay(context: Context, ref: string, mode: 'plain' | 'rawjson'): Promise<void> {
  const display =
    mode === 'plain' ? new PlainDisplay(context.out, () => context.now()) : new RawJsonDisplay(context.out);
  await withBuilder(context, async (calls, signal) => {
    for await (const status of calls.stream(Control.method.status, { ref }, { signal })) {
      display.update(status);
    }
  });
  display.end();
}

/** Forgets builds. */
export async function forget(context: Context, refs: readonly string[]): Promise<void> {
  await withBuilder(context, async (calls, signal) => {
    for (const ref of refs)
      await calls.call(Control.method.updateBuildHistory, { ref, delete: true }, { signal });
  });
}
