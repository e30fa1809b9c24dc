import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { UsageRecord } from '#buildkit';
import type { Filter } from '../flags/index.ts';
import { ago } from '../format/time.ts';
import { findDuration } from '../format/duration.ts';
import type { Listing } from '../format/listing.ts';
import { decimalSize } from '../format/units.ts';

/** Which records are meant: conditions of which all must hold, and nanoseconds that a record has not been used. */
export interface UsageCondition {
  readonly filter: string;
  readonly unusedFor: bigint;
}

/** What `--filter` says. Throws buildx's texts. */
export function usageCondition(filter: Filter): UsageCondition {
  const [until = [], unused = []] = [filter['until'], filter['unused-for']];
  if (until.length > 0 && unused.length > 0) throw new Error('conflicting filters "until" and "unused-for"');
  const key = unused.length > 0 ? 'unused-for' : 'until';
  const [span, ...more] = [...until, ...unused];
  if (more.length > 0) throw new Error(`"${key}" filter expects only one value`);
  const unusedFor = span === undefined ? 0n : findDuration(span);
  if (unusedFor === undefined) {
    throw new Error(
      `"${key}" filter expects a duration (e.g., '24h'): time: invalid duration "${span ?? ''}"`,
    );
  }
  const conditions = Object.entries(filter)
    .filter(([name]) => name !== 'until' && name !== 'unused-for')
    .map(([name, values]) => {
      const [value = '', ...others] = values;
      if (others.length > 0) throw new Error(`"${name}" filter expects only one value`);
      if (name === 'id') return `id~=${value}`;
      return /[!~]$/.test(name) ? `${name}=${value}` : `${name}==${value}`;
    });
  return { filter: conditions.join(','), unusedFor };
}

/** As Go shows a time: `2026-11-22 11:06:05.39 +0000 UTC`. */
export function goTime(time: Timestamp | undefined): string {
  if (!time) return '0001-01-01 00:00:00 +0000 UTC';
  const whole = new Date(Number(time.seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const fraction = String(time.nanos).padStart(9, '0').replace(/0+$/, '');
  return `${whole}${fraction === '' ? '' : `.${fraction}`} +0000 UTC`;
}

/** Of tables alone: `*` marks what can be written to, and sizes that are shared. */
export const usageListing = (now: number, isTable: boolean): Listing<UsageRecord> => ({
  typeName: '*commands.diskusageContext',
  headers: {
    ID: 'ID',
    Parents: 'PARENTS',
    CreatedAt: 'CREATED AT',
    Mutable: 'MUTABLE',
    Reclaimable: 'RECLAIMABLE',
    Shared: 'SHARED',
    Size: 'SIZE',
    Description: 'DESCRIPTION',
    UsageCount: 'USAGE COUNT',
    LastUsedAt: 'LAST ACCESSED',
    Type: 'TYPE',
  },
  columns: (record) => ({
    ID: () => record.id + (isTable && record.mutable ? '*' : ''),
    Parents: () => (record.parents.length > 0 ? record.parents : null),
    CreatedAt: () => goTime(record.createdAt),
    Mutable: () => record.mutable,
    Reclaimable: () => !record.inUse,
    Shared: () => record.shared,
    Size: () => decimalSize(Number(record.size)) + (isTable && record.shared ? '*' : ''),
    Description: () => record.description,
    UsageCount: () => Number(record.usageCount),
    LastUsedAt: () => lastUse(record, now),
    Type: () => record.recordType,
  }),
});

const lastUse = ({ lastUsedAt }: UsageRecord, now: number): string =>
  lastUsedAt ? ago(timestampMs(lastUsedAt), now) : '';

/** One record with all that is known of it. */
export function describeUsage(record: UsageRecord, now: number): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Created at', goTime(record.createdAt)],
    ['Mutable', String(record.mutable)],
    ['Reclaimable', String(!record.inUse)],
    ['Shared', String(record.shared)],
    ['Size', decimalSize(Number(record.size))],
    ['Description', record.description],
    ['Usage count', String(record.usageCount)],
    ['Last used', lastUse(record, now)],
    ['Type', record.recordType],
  ];
  const parents = record.parents.map((parent) => `\n - ${parent}`).join('');
  return [
    `ID:           ${record.id}${parents === '' ? '' : `\nParents:${parents}`}`,
    ...rows.filter(([, value]) => value !== '').map(([name, value]) => `${`${name}:`.padEnd(13)} ${value}`),
    '',
    '',
  ].join('\n');
}

/** What all records take together. */
export function summarizeUsage(records: readonly UsageRecord[]): string {
  const sum = (chosen: readonly UsageRecord[]): number =>
    chosen.reduce((total, { size }) => total + Number(size), 0);
  const positive = records.filter(({ size }) => size > 0n);
  const shared = sum(records.filter((record) => record.shared));
  const total = sum(positive);
  const reclaimable = sum(positive.filter(({ inUse }) => !inUse));
  const parts =
    shared > 0 ? `Shared:\t\t${decimalSize(shared)}\nPrivate:\t${decimalSize(total - shared)}\n` : '';
  return `${parts}Reclaimable:\t${decimalSize(reclaimable)}\nTotal:\t\t${decimalSize(total)}\n`;
}

/** The largest last. */
export function bySize(a: UsageRecord, b: UsageRecord): number {
  if (a.size !== b.size) return a.size < b.size ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
