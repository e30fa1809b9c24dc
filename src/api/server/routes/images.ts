import type { ImagesPruneResponse } from '#api/types';
import type { ImageRecord } from '#images';
import { invalidArgument, isKind } from '#kernel';
import { familiarName, findImageId, parseReference, type Reference } from '#oci';
import { created, ok, type Answer } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Filters } from '../filters.ts';
import { named, type Route } from '../route.ts';
import { parseUntil } from '../timestamps.ts';
import { createdNanos, viewHistory, viewImage, viewImageSummary } from '../views/image.ts';

type ImageBackends = Pick<Backends, 'images' | 'containers' | 'clock' | 'storageDriver' | 'events'>;

/** Images, apart from moving them in and out. */
export function imageRoutes(backends: ImageBackends): readonly Route[] {
  const { images, storageDriver } = backends;
  return [
    {
      method: 'GET',
      path: '/images/json',
      operation: 'ImageList',
      handle: (exchange) => ok(list(backends, exchange)),
    },
    {
      method: 'POST',
      path: '/images/prune',
      operation: 'ImagePrune',
      handle: async (exchange) => ok(await prune(backends, exchange)),
    },
    {
      method: 'GET',
      path: named('images', '/json'),
      operation: 'ImageInspect',
      handle: (exchange) => ok(viewImage(images.get(exchange.name), storageDriver)),
    },
    {
      method: 'GET',
      path: named('images', '/history'),
      operation: 'ImageHistory',
      handle: (exchange) => ok(viewHistory(images.history(exchange.name))),
    },
    {
      method: 'POST',
      path: named('images', '/tag'),
      operation: 'ImageTag',
      handle: (exchange): Answer => {
        images.tag(exchange.name, joinTag(exchange.query.text('repo'), exchange.query.text('tag')));
        return { ...created(undefined) };
      },
    },
    {
      method: 'DELETE',
      path: named('images'),
      operation: 'ImageDelete',
      handle: async ({ name, query }) =>
        ok(await images.remove(name, { force: query.boolean('force'), prune: !query.boolean('noprune') })),
    },
  ];
}

/** `name:tag` or `name@digest` of the parts that requests keep apart. */
export function joinTag(name: string, tag: string): string {
  if (tag === '') return name;
  return /^[a-z0-9+._-]+:[0-9a-fA-F]{32,}$/.test(tag) ? `${name}@${tag}` : `${name}:${tag}`;
}

/** How many containers are made from each image, by id. */
export function containersByImage({ containers }: Pick<Backends, 'containers'>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { imageId } of containers.list()) counts.set(imageId, (counts.get(imageId) ?? 0) + 1);
  return counts;
}

function list(backends: ImageBackends, { query }: Exchange): readonly ReturnType<typeof viewImageSummary>[] {
  const filters = query.filters(['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until']);
  const tests = imageTests(backends, filters);
  const counts = containersByImage(backends);
  const sharedSize = query.boolean('shared-size') ? 0 : -1;
  return backends.images
    .list()
    .filter((image) => tests.every((test) => test(image)))
    .map((image) => viewImageSummary(image, counts.get(image.id) ?? 0, sharedSize))
    .sort((a, b) => b.Created - a.Created);
}

type Test = (image: ImageRecord) => boolean;

const isDangling = (image: ImageRecord): boolean => image.tags.length === 0 && image.digests.length === 0;

function imageTests(backends: ImageBackends, filters: Filters): readonly Test[] {
  const { images, clock } = backends;
  const tests: Test[] = [(image) => filters.labels(image.config.config?.Labels)];
  const dangling = filters.boolean('dangling');
  if (dangling !== undefined) tests.push((image) => isDangling(image) === dangling);
  for (const name of filters.all('before')) {
    const time = timeOf(images.get(name));
    tests.push((image) => timeOf(image) < time);
  }
  for (const name of filters.all('since')) {
    const time = timeOf(images.get(name));
    tests.push((image) => timeOf(image) > time);
  }
  for (const text of filters.all('until')) {
    const time = parseUntil(text, clock.now());
    tests.push((image) => timeOf(image) < time);
  }
  if (filters.has('reference')) {
    const patterns = filters.all('reference').map(referencePattern);
    tests.push((image) =>
      [...image.tags, ...image.digests].some((name) => patterns.some((matches) => matches(name))),
    );
  }
  return tests;
}

const timeOf = (image: ImageRecord): bigint => createdNanos(image.config.created) ?? 0n;

/** A shell pattern over the whole reference or over its name alone; `*` stops at slashes. */
function referencePattern(pattern: string): (reference: string) => boolean {
  const source = pattern.replace(/[.+^${}()|\\]|\*|\?/g, (char) => {
    if (char === '*') return '[^/]*';
    return char === '?' ? '[^/]' : `\\${char}`;
  });
  let expression: RegExp;
  try {
    expression = new RegExp(`^${source}$`);
  } catch (error) {
    throw invalidArgument(`invalid filter 'reference=${pattern}': syntax error in pattern`, error);
  }
  return (reference) => {
    const parsed = tryReference(reference);
    return expression.test(reference) || (parsed !== undefined && expression.test(familiarName(parsed)));
  };
}

function tryReference(text: string): Reference | undefined {
  if (findImageId(text) !== undefined) return undefined;
  try {
    return parseReference(text);
  } catch (error) {
    if (isKind(error, 'invalidArgument')) return undefined;
    throw error;
  }
}

/** Removes images that no container uses: those without a name, or with `dangling=false` all of them. */
async function prune(backends: ImageBackends, { query, signal }: Exchange): Promise<ImagesPruneResponse> {
  const filters = query.filters(['dangling', 'label', 'label!', 'until']);
  const onlyDangling = filters.boolean('dangling') ?? true;
  const tests = imageTests(backends, filters.without('dangling'));
  const used = containersByImage(backends);
  const deleted: { Untagged?: string; Deleted?: string }[] = [];
  let reclaimed = 0;
  for (const image of backends.images.list()) {
    if (used.has(image.id) || (onlyDangling && !isDangling(image))) continue;
    if (!tests.every((test) => test(image))) continue;
    signal.throwIfAborted();
    try {
      const removed = await backends.images.remove(image.id, { force: image.tags.length > 1, prune: true });
      deleted.push(...removed);
      if (removed.some((item) => item.Deleted === image.id)) reclaimed += image.size;
    } catch (error) {
      // Somebody uses it by now, or has removed it.
      if (!isKind(error, 'conflict') && !isKind(error, 'notFound')) throw error;
    }
  }
  backends.events.publish('image', 'prune', '', { reclaimed: String(reclaimed) });
  return { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
}
