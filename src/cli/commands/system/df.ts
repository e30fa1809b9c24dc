import type { ContainerSummary, LegacyDiskUsage } from '#api/types';
import { defineCommand, noArguments } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { renderListing } from '../../format/listing.ts';
import type { Listing } from '../../format/listing.ts';
import { decimalSize } from '../../format/units.ts';
import { formatUsage } from '../../format/usage.ts';
import { describeUsage } from './df-verbose.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Show what images, containers and volumes take on disk',
  arguments: noArguments,
  flags: {
    format: string(formatUsage(true)),
    verbose: bool('Show every object', { short: 'v' }),
  },
  async run(context, { flags }) {
    const usage = await context.engine.json<LegacyDiskUsage>({ method: 'GET', path: '/system/df' });
    if (flags.verbose) {
      context.out.write(describeUsage(usage, flags.format, context.now()));
      return;
    }
    const given = flags.format || 'table';
    const format =
      given === 'table'
        ? 'table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}'
        : given;
    context.out.write(renderListing(totals(usage), format, usageListing));
  },
});

interface Total {
  readonly type: string;
  readonly count: number;
  readonly active: number;
  /** bytes */
  readonly size: number;
  readonly reclaimable: number;
  /** Whether the share in percent is shown. */
  readonly share: boolean;
}

const usageListing: Listing<Total> = {
  typeName: '*formatter.diskUsageContext',
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  columns: (total) => ({
    Type: () => total.type,
    TotalCount: () => String(total.count),
    Active: () => String(total.active),
    Size: () => decimalSize(total.size),
    Reclaimable: () =>
      decimalSize(total.reclaimable) +
      (total.share && total.size > 0 ? ` (${Math.trunc((total.reclaimable * 100) / total.size)}%)` : ''),
  }),
};

const isActive = ({ State }: ContainerSummary): boolean =>
  ['running', 'paused', 'restarting'].includes(State);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function totals(usage: LegacyDiskUsage): Total[] {
  const images = usage.Images ?? [];
  const containers = usage.Containers ?? [];
  const volumes = usage.Volumes ?? [];
  const cache = usage.BuildCache ?? [];
  const used = images.filter(({ Containers }) => Containers !== 0);
  // The bin has a line of its own.
  const layers = (usage.LayersSize ?? 0) - (usage.Wharf?.Bin.Images ?? 0);
  const unshared = sum(
    used
      .filter(({ Size, SharedSize }) => Size !== -1 && SharedSize !== -1)
      .map(({ Size, SharedSize }) => Size - SharedSize),
  );
  const measured = volumes.filter(({ UsageData }) => UsageData && UsageData.Size !== -1);
  const inUse = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0);
  const sizeOf = (list: typeof volumes): number =>
    sum(list.map(({ UsageData }) => Math.max(0, UsageData?.Size ?? 0)));
  return [
    {
      type: 'Images',
      count: images.length,
      active: used.length,
      size: layers,
      reclaimable: layers - unshared,
      share: true,
    },
    {
      type: 'Containers',
      count: containers.length,
      active: containers.filter(isActive).length,
      size: sum(containers.map(({ SizeRw = 0 }) => SizeRw)),
      reclaimable: sum(
        containers.filter((container) => !isActive(container)).map(({ SizeRw = 0 }) => SizeRw),
      ),
      share: true,
    },
    {
      type: 'Local Volumes',
      count: volumes.length,
      active: inUse.length,
      size: sizeOf(measured),
      reclaimable: sizeOf(measured.filter(({ UsageData }) => UsageData?.RefCount === 0)),
      share: true,
    },
    {
      type: 'Build Cache',
      count: cache.length,
      active: cache.filter(({ InUse }) => InUse).length,
      size: sum(cache.filter(({ Shared }) => !Shared).map(({ Size }) => Size)),
      reclaimable: sum(cache.filter(({ InUse, Shared }) => !InUse && !Shared).map(({ Size }) => Size)),
      share: false,
    },
    ...(usage.Wharf ? ownTotals(usage.Wharf) : []),
  ];
}

/** With these the sum is what du says of the data root. */
function ownTotals({ Bin, Records }: NonNullable<LegacyDiskUsage['Wharf']>): Total[] {
  const bin = Bin.Images + Bin.Volumes;
  return [
    { type: 'Bin', count: Bin.Count, active: 0, size: bin, reclaimable: bin, share: true },
    { type: 'Records', count: 0, active: 0, size: Records, reclaimable: 0, share: false },
  ];
}
