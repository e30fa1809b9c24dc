import { normalizePlatform } from './platform.ts';
import type { Platform } from './types.ts';

const armVariants = ['v8', 'v7', 'v6', 'v5'];

const arm = (os: string, highest: string): readonly Platform[] =>
  armVariants.slice(armVariants.indexOf(highest)).map((variant) => ({ os, architecture: 'arm', variant }));

/** What a host of this platform can run, best first. */
export function runnablePlatforms(platform: Platform): readonly Platform[] {
  const host = normalizePlatform(platform);
  const { os, architecture, variant = '' } = host;
  switch (architecture) {
    case 'amd64': {
      const level = /^v([2-9])$/.exec(variant)?.[1];
      const levels = level
        ? Array.from({ length: Number(level) - 1 }, (_, n) => `v${Number(level) - n}`)
        : [];
      return [
        ...levels.map((each) => ({ os, architecture, variant: each })),
        { os, architecture },
        { os, architecture: '386' },
      ];
    }
    case 'arm64': {
      const minor = /^v(\d+)\.(\d+)$/.exec(variant);
      const own = minor || variant === 'v9' ? arm64Versions(os, variant) : [];
      return [...own, { os, architecture }, ...arm(os, 'v8')];
    }
    case 'arm':
      return armVariants.includes(variant) ? arm(os, variant) : [host];
    default:
      return [host];
  }
}

/** arm64 versions below one: `v9.1` runs v9, and v8 up to v8.6; `v8.2` runs v8.1. */
function arm64Versions(os: string, variant: string): readonly Platform[] {
  const [major = 8, minor = 0] = variant.slice(1).split('.').map(Number);
  const names: string[] = [];
  const add = (version: number, highest: number): void => {
    for (let n = highest; n > 0; n -= 1) names.push(`v${version}.${n}`);
    if (version > 8) names.push(`v${version}`);
  };
  add(major, minor);
  // Armv9.N includes Armv8.(N+5).
  if (major === 9) add(8, minor + 5);
  return names.map((each) => ({ os, architecture: 'arm64', variant: each }));
}

const same = (a: Platform, b: Platform): boolean =>
  a.os === b.os && a.architecture === b.architecture && (a.variant ?? '') === (b.variant ?? '');

/** How well `candidate` suits a host: 0 is best; undefined: it cannot run there. */
export function platformRank(host: Platform, candidate: Platform): number | undefined {
  const wanted = normalizePlatform(candidate);
  const rank = runnablePlatforms(host).findIndex((each) => same(each, wanted));
  return rank === -1 ? undefined : rank;
}

export const matchesPlatform = (host: Platform, candidate: Platform): boolean =>
  platformRank(host, candidate) !== undefined;

/** Exactly this platform, however it is spelled. */
export const isSamePlatform = (a: Platform, b: Platform): boolean =>
  same(normalizePlatform(a), normalizePlatform(b));

/**
 * The entries of an index that the host can run, best first; entries that name no platform come last. Attestations
 * (`unknown/unknown`) never match.
 */
export function rankByPlatform<T extends { readonly platform?: Platform }>(
  host: Platform,
  entries: readonly T[],
): readonly T[] {
  return entries
    .map((entry) => ({ entry, rank: entry.platform ? platformRank(host, entry.platform) : Infinity }))
    .filter((each): each is { entry: T; rank: number } => each.rank !== undefined)
    .sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank))
    .map(({ entry }) => entry);
}
