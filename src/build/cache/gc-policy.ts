import { pruneUnused, type PruneRules } from './prune-choice.ts';

/** What is removed of the cache by itself; bytes, 0: not said. */
export interface GcSettings {
  readonly isEnabled: boolean;
  /** In this order; undefined: Docker's own. */
  readonly policy: readonly PruneRules[] | undefined;
  readonly reservedSpace: number;
  readonly maxUsedSpace: number;
  readonly minFreeSpace: number;
}

const hours = 3_600_000_000_000n;
const megabyte = 1e6;
/** Share of what is reserved that contexts and cache mounts may take once they are two days old. */
const passingShare = 0.138;

/** The rules in force on a disk of so many bytes: Docker's defaults where nothing else is said. */
export function gcRules(settings: GcSettings, diskSize: number): readonly PruneRules[] {
  if (!settings.isEnabled) return [];
  if (settings.policy) return settings.policy;
  const space = spaceOf(settings, diskSize);
  const passing = Math.max(512 * megabyte, Math.round(space.reservedSpace * passingShare));
  return [
    {
      ...pruneUnused,
      filters: ['type==source.local', 'type==exec.cachemount', 'type==source.git.checkout'],
      keepDuration: 48n * hours,
      maxUsedSpace: passing,
    },
    { ...pruneUnused, ...space, keepDuration: 60n * 24n * hours },
    { ...pruneUnused, ...space },
    { ...pruneUnused, ...space, all: true },
  ];
}

function spaceOf(
  { reservedSpace, maxUsedSpace, minFreeSpace }: GcSettings,
  diskSize: number,
): Pick<PruneRules, 'reservedSpace' | 'maxUsedSpace' | 'minFreeSpace'> {
  if (reservedSpace > 0 || maxUsedSpace > 0 || minFreeSpace > 0) {
    return { reservedSpace, maxUsedSpace, minFreeSpace };
  }
  const share = (part: number): number => Math.round(diskSize * part);
  return { reservedSpace: share(0.1), maxUsedSpace: share(0.8), minFreeSpace: share(0.2) };
}
