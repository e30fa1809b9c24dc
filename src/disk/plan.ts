import type { ImageHolding } from '#images';
import type { DiskUser } from './accounting.ts';
import { keysOfEntry, type CacheEntry } from './build-cache.ts';
import type { BinEntry, Step } from './disk.ts';
import { keysOf, type Ledger } from './ledger.ts';

/** What the collector may take. */
export interface CollectorRules {
  /** Whether images with tags may go, too. */
  readonly tagged: boolean;
  /** Of them, only those all of whose tags fit one of these; empty: all. `*` stands for anything. */
  readonly taggedPatterns: readonly string[];
  /** Nanoseconds since its last use in which an image is never taken. */
  readonly minimumAge: bigint;
}

/** What there is, for the plan. */
export interface Findings {
  readonly now: bigint;
  readonly bin: readonly BinEntry[];
  /** Bytes of downloads that were broken off. */
  readonly partial: number;
  /** Bytes of what is only kept so that builds and interrupted pulls can go on with it. */
  readonly kept: number;
  /** Parents first; the layers are held in the ledger. */
  readonly cache: readonly CacheEntry[];
  readonly images: readonly ImageHolding[];
  readonly users: readonly DiskUser[];
  lastUse(image: ImageHolding): bigint;
  /** In which all images hold what they need, those in the bin too. */
  readonly ledger: Ledger;
}

/** In the order in which things go. `free`: goes whenever the collector is asked, since nothing can need it. */
export interface Plan {
  readonly free: readonly Step[];
  readonly needed: readonly Step[];
  readonly kept: readonly Step[];
}

/** Id of the step that gives up what is only kept for operations to go on. */
export const keptLayers = 'kept';

/** What goes, in which order, and what stays: the bin, what nobody needs, build cache, images by last use. */
export function planCollection(found: Findings, rules: CollectorRules): Plan {
  const { ledger, now } = found;
  const unheld = ledger.unheld();
  const bin = binSteps(found);
  const dangling =
    unheld > 0 ? [step('layers', 'layers', unheld, 'no image and no container needs them')] : [];
  const interrupted = [
    step('partial downloads', 'partial', found.partial, 'nobody goes on with them now'),
    step('layers', keptLayers, found.kept, 'kept for the next build, or for a pull to go on'),
  ].filter(({ bytes }) => bytes > 0);
  const cache = cacheSteps(found);
  const { going, kept } = imageSteps(found, rules);
  return {
    free: [...bin.filter(({ until }) => until <= now).map(({ step: each }) => each), ...dangling],
    needed: [
      ...bin.filter(({ until }) => until > now).map(({ step: each }) => each),
      ...interrupted,
      ...cache,
      ...going,
    ],
    kept,
  };
}

/** What only the builder needs, the least recently used first; a layer goes after those on it. */
function cacheSteps({ cache, ledger }: Findings): readonly Step[] {
  return cache
    .filter(({ isShared, inUse }) => !isShared && !inUse)
    .toReversed()
    .sort((a, b) => Number(a.usedAt - b.usedAt))
    .map((entry): Step => {
      const { id, description, usedAt } = entry;
      const bytes = entry.layer ? ledger.release(keysOfEntry(entry)) : entry.bytes;
      return { ...step('build cache', id, bytes, 'build cache'), names: [description], lastUsed: usedAt };
    });
}

function binSteps({ bin, ledger, images, now }: Findings): readonly { step: Step; until: bigint }[] {
  const byId = new Map(images.map((image): [string, ImageHolding] => [image.id, image]));
  return bin.map(({ kind, id, names, bytes, at, until }) => {
    const image = byId.get(id);
    const freed = kind === 'image' && image ? ledger.release(keysOf(image)) : bytes;
    const reason = until <= now ? `${kind} in the bin, its time is over` : `${kind} in the bin`;
    return { step: { ...step('bin', id, freed, reason), names, lastUsed: at }, until };
  });
}

const step = (kind: Step['kind'], id: string, bytes: number, reason: string): Step => ({
  kind,
  id,
  names: [],
  bytes,
  reason,
});

function imageSteps(
  found: Findings,
  rules: CollectorRules,
): { going: readonly Step[]; kept: readonly Step[] } {
  const { images, users, ledger, now } = found;
  const user = new Map(users.flatMap(({ name, images: used }) => used.map((id) => [id, name] as const)));
  const kept: Step[] = [];
  const going: ImageHolding[] = [];
  for (const image of images) {
    if (image.retired) continue;
    const why = whyKept(image, user.get(image.id), now - found.lastUse(image), rules);
    if (why === undefined) going.push(image);
    else {
      const { bytes, shared } = ledger.share(keysOf(image));
      kept.push(imageStep(image, bytes - shared, found, why));
    }
  }
  const byUse = (a: ImageHolding, b: ImageHolding): number =>
    Number(a.tags.length > 0) - Number(b.tags.length > 0) || Number(found.lastUse(a) - found.lastUse(b));
  return {
    going: going.sort(byUse).map((image) => {
      const reason =
        image.tags.length > 0
          ? 'unused image that the configuration gives free'
          : 'untagged and unused image';
      return imageStep(image, ledger.release(keysOf(image)), found, reason);
    }),
    kept,
  };
}

const imageStep = (image: ImageHolding, bytes: number, found: Findings, reason: string): Step => ({
  kind: 'image',
  id: image.id,
  names: image.names,
  bytes,
  lastUsed: found.lastUse(image),
  reason,
});

function whyKept(
  { tags }: ImageHolding,
  user: string | undefined,
  age: bigint,
  rules: CollectorRules,
): string | undefined {
  if (user !== undefined) return `the container ${user} uses it`;
  if (tags.length > 0 && !rules.tagged) return 'it has a tag';
  if (tags.length > 0 && !tags.every((tag) => fits(tag, rules.taggedPatterns))) {
    return 'it has a tag that the configuration does not give free';
  }
  if (age < rules.minimumAge) return 'it was used just now';
  return undefined;
}

function fits(tag: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  return patterns.some((pattern) => {
    const source = pattern.replace(/[.+^${}()|[\]\\?]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${source}$`).test(tag);
  });
}
