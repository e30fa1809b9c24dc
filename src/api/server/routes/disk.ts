import type { WharfBinEntry, WharfCollection, WharfCollectionStep, WharfUndo } from '#api/types';
import type { BinEntry, CollectorReport, Step } from '#disk';
import { conflict, formatTime, invalidArgument } from '#kernel';
import { ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

type DiskBackends = Pick<Backends, 'disk'>;

/** What looks after the disk; none of it is in Docker's API. */
export function diskRoutes({ disk }: DiskBackends): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/system/gc',
      operation: 'SystemCollectionPlan',
      handle: async (exchange) => {
        const plan = { cause: 'asked', dryRun: true, explain: true, ...freeOf(exchange) };
        return ok(viewReport(await disk.collect(plan)));
      },
    },
    {
      method: 'POST',
      path: '/system/gc',
      operation: 'SystemCollection',
      handle: async (exchange) => ok(viewReport(await disk.collect({ cause: 'asked', ...freeOf(exchange) }))),
    },
    {
      method: 'GET',
      path: '/system/bin',
      operation: 'SystemBin',
      handle: async () => ok((await disk.bin()).map(viewEntry)),
    },
    {
      method: 'POST',
      path: '/system/undo',
      operation: 'SystemUndo',
      handle: async ({ query }) => {
        const [id, name] = [query.text('id'), query.text('name')];
        const undone = await disk.undo({ ...(id !== '' && { id }), ...(name !== '' && { name }) });
        if (undone.every(({ names, problem }) => names.length === 0 && problem !== undefined)) {
          throw conflict(undone.map(({ problem = '' }) => problem).join('\n'));
        }
        const answer: WharfUndo = {
          Restored: undone.map(({ kind, id: Id, names: Names, problem }) => ({
            Kind: kind,
            Id,
            Names,
            ...(problem !== undefined && { Problem: problem }),
          })),
        };
        return ok(answer);
      },
    },
  ];
}

function freeOf({ query }: Exchange): { readonly free?: number } {
  const free = query.integer('free');
  if (free !== undefined && free < 0) throw invalidArgument(`invalid free space ${free}`);
  return free === undefined ? {} : { free };
}

const viewEntry = ({ kind, id, names, bytes, at, until, batch }: BinEntry): WharfBinEntry => ({
  Kind: kind,
  Id: id,
  Names: names,
  Size: bytes,
  PrunedAt: formatTime(at),
  Until: formatTime(until),
  Batch: batch,
});

const viewStep = ({ kind, id, names, bytes, lastUsed, reason }: Step): WharfCollectionStep => ({
  Kind: kind,
  Id: id,
  Names: names,
  Size: bytes,
  ...(lastUsed !== undefined && { LastUsedAt: formatTime(lastUsed) }),
  Reason: reason,
});

const viewReport = ({ space, wanted, removed, freed, next, kept }: CollectorReport): WharfCollection => ({
  Total: space.total,
  Free: space.free,
  LowSpace: space.low,
  HighSpace: space.high,
  Wanted: wanted,
  Removed: removed.map(viewStep),
  SpaceReclaimed: freed,
  ...(next && { Next: next.map(viewStep) }),
  ...(kept && { Kept: kept.map(viewStep) }),
});
