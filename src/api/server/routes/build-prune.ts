import { pruneUnused, type Builds, type PruneRules } from '#build';
import { invalidArgument, messageOf, prefixErrors, type Clock } from '#kernel';
import { ok } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import type { Filters } from '../filters.ts';
import type { Query } from '../query.ts';
import type { Route } from '../route.ts';
import { parseUntil } from '../timestamps.ts';

/** Fields of records that a filter may name. */
const fields = ['id', 'parent', 'type', 'description', 'inuse', 'shared', 'private'];

/** POST /build/prune: the cache of builds is removed, or some of it. */
export const buildPruneRoute = (builds: Builds, clock: Clock): Route => ({
  method: 'POST',
  path: '/build/prune',
  operation: 'BuildPrune',
  handle: async (exchange) => {
    const { signal } = exchange;
    const removed = await builds.cache.prune(rulesOf(exchange, clock.now()), { signal });
    const ids = removed.map(({ id }) => id);
    const bytes = removed.reduce((sum, record) => sum + record.bytes, 0);
    return ok({ CachesDeleted: ids.length > 0 ? ids : null, SpaceReclaimed: bytes });
  },
});

function rulesOf({ query }: Exchange, now: bigint): PruneRules {
  const bytes = (name: string): number => {
    const text = query.text(name);
    if (!/^[+-]?\d*$/.test(text)) {
      throw invalidArgument(
        `${name} is in bytes and expects an integer, got ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
      );
    }
    return Number(text);
  };
  return {
    ...pruneUnused,
    all: query.boolean('all'),
    // Its name before API 1.48.
    reservedSpace: bytes('reserved-space') || bytes('keep-storage'),
    maxUsedSpace: bytes('max-used-space'),
    minFreeSpace: bytes('min-free-space'),
    ...prefixErrors('failed to prune build cache: ', () => filterOf(query, now)),
  };
}

function filterOf(query: Query, now: bigint): Pick<PruneRules, 'filters' | 'keepDuration'> {
  const filters = query.filters([...fields, 'until', 'unused-for', 'label', 'label!']);
  return {
    filters: [fields.flatMap((field) => conditionOf(filters, field)).join(',')],
    keepDuration: keepDurationOf(filters, now),
  };
}

function conditionOf(filters: Filters, field: string): readonly string[] {
  const [value, ...others] = filters.all(field);
  if (value === undefined) return [];
  if (others.length > 0) throw invalidArgument('filters expect only one value');
  return [`${field}${field === 'id' ? '~=' : '=='}${value}`];
}

/** Nanoseconds. */
function keepDurationOf(filters: Filters, now: bigint): bigint {
  const until = filters.all('until');
  const unusedFor = filters.all('unused-for');
  if (until.length > 0 && unusedFor.length > 0)
    throw invalidArgument('conflicting filters: "until" and "unused-for"');
  const [text, ...others] = [...until, ...unusedFor];
  if (text === undefined) return 0n;
  if (others.length > 0) throw invalidArgument('filters expect only one value');
  try {
    return now - parseUntil(text, now);
  } catch (error) {
    const name = until.length > 0 ? 'until' : 'unused-for';
    throw invalidArgument(
      `"${name}" filter expects a duration (e.g., '24h') or a timestamp: ${messageOf(error)}`,
      error,
    );
  }
}
