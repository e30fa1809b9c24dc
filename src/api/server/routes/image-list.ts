import type { ImageSummary } from '#api/types';
import type { ImageRecord } from '#images';
import { invalidArgument, isKind } from '#kernel';
import { familiarName, findImageId, parseReference, type Reference } from '#oci';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Filters } from '../filters.ts';
import { parseUntil } from '../timestamps.ts';
import { createdNanos, viewImageSummary, viewManifest } from '../views/image.ts';

export type ImageListBackends = Pick<Backends, 'images' | 'containers' | 'clock'>;

/** GET /images/json. Only `manifests` reads the disk. */
export async function listImages(
  backends: ImageListBackends,
  { query }: Exchange,
): Promise<readonly ImageSummary[]> {
  const { images } = backends;
  const filters = query.filters(['dangling', 'label', 'before', 'since', 'reference', 'until']);
  const tests = imageTests(backends, filters);
  const names = filters.has('reference') ? nameTest(filters) : undefined;
  const containers = containersByImage(backends);
  const shared = query.boolean('shared-size') ? images.sharedSizes() : undefined;
  if (!query.boolean('all')) {
    tests.push((image) => !isDangling(image) || !images.hasChildren(image.id));
  }
  const found = images
    .list()
    .filter((image) => tests.every((test) => test(image)))
    .map((image) => {
      const view = viewImageSummary(image, containers.get(image.id)?.length ?? 0, shared?.get(image.id));
      if (!names) return view;
      return { ...view, RepoTags: image.tags.filter(names), RepoDigests: image.digests.filter(names) };
    })
    .sort((a, b) => b.Created - a.Created);
  if (!query.boolean('manifests')) return found;
  const whole: ImageSummary[] = [];
  for (const view of found) {
    const manifests = await images.manifests(view.Id);
    whole.push({ ...view, Manifests: manifests.map((one) => viewManifest(one, containers)) });
  }
  return whole;
}

/** The containers that are made from each image, by id. */
export function containersByImage({
  containers,
}: Pick<Backends, 'containers'>): ReadonlyMap<string, readonly string[]> {
  const ids = new Map<string, string[]>();
  for (const { id, imageId } of containers.list()) {
    const found = ids.get(imageId);
    if (found) found.push(id);
    else ids.set(imageId, [id]);
  }
  return ids;
}

type Test = (image: ImageRecord) => boolean;

const isDangling = (image: ImageRecord): boolean => image.tags.length === 0 && image.digests.length === 0;

/** What the filters of a list or prune request ask of an image. Throws notFound, invalidArgument. */
export function imageTests({ images, clock }: ImageListBackends, filters: Filters): Test[] {
  const tests: Test[] = [(image) => filters.labels(image.config.config?.Labels)];
  const dangling = filters.boolean('dangling');
  if (dangling !== undefined) {
    tests.push((image) => (isDangling(image) && !images.hasChildren(image.id)) === dangling);
  }
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
    const fits = nameTest(filters);
    tests.push((image) => [...image.tags, ...image.digests].some(fits));
  }
  return tests;
}

const times = new WeakMap<ImageRecord, bigint>();

function timeOf(image: ImageRecord): bigint {
  const known = times.get(image);
  if (known !== undefined) return known;
  const time = createdNanos(image.config.created) ?? 0n;
  times.set(image, time);
  return time;
}

function nameTest(filters: Filters): (reference: string) => boolean {
  const patterns = filters.all('reference').map(referencePattern);
  return (name) => patterns.some((matches) => matches(name));
}

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
    throw invalidArgument('syntax error in pattern', error);
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
