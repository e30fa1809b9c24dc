import type { Ulimit } from '#api/types';
import { invalidArgument } from '#kernel';
import type { SpecRlimit } from './oci-spec.ts';

const names = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  ),
);

/** The daemon's own hard limits, which it may not exceed without CAP_SYS_RESOURCE; Infinity where it may. */
export type HardLimits = (name: string) => number;

/**
 * `--ulimit` over the daemon's defaults as runtime-spec rlimits. What a person asked for is refused when it lies
 * above the daemon's own hard limit; a default is clamped to it. -1 is unlimited.
 */
export function specRlimits(
  asked: readonly Ulimit[],
  defaults: readonly Ulimit[],
  hardLimits: HardLimits,
): readonly SpecRlimit[] {
  const limits = new Map<string, SpecRlimit>();
  for (const { Name = '', Soft = 0, Hard = 0 } of defaults) {
    const most = hardLimits(Name);
    const hard = Math.min(unlimited(Hard), most);
    limits.set(Name, rlimit(Name, Math.min(unlimited(Soft), hard), hard));
  }
  for (const { Name = '', Soft = 0, Hard = 0 } of asked) {
    if (!names.has(Name)) throw invalidArgument(`invalid ulimit type: ${Name}`);
    const most = hardLimits(Name);
    if (unlimited(Hard) > most) {
      throw invalidArgument(
        `ulimit ${Name}=${Soft}:${Hard} is above the daemon's own hard limit of ${most}: raise it where wharfd is started, or ask for less`,
      );
    }
    limits.set(Name, rlimit(Name, unlimited(Soft), unlimited(Hard)));
  }
  return [...limits.values()];
}

const unlimited = (value: number): number => (value < 0 ? Infinity : value);

const rlimit = (name: string, soft: number, hard: number): SpecRlimit => ({
  type: `RLIMIT_${name.toUpperCase()}`,
  soft,
  hard,
});
