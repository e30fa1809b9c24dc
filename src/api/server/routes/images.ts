import type { AttestationStatement, ImageInspect, ImagesPruneResponse } from '#api/types';
import { invalidArgument } from '#kernel';
import { canonicalName, parseReference, withTag } from '#oci';
import { created, ok, type Answer } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import { named, type Route } from '../route.ts';
import { viewHistory, viewImage, viewManifest } from '../views/image.ts';
import { containersByImage, imageTests, listImages } from './image-list.ts';
import { decodePlatform, platformOf } from './image-platform.ts';
import { checkUntil, prune } from './prune.ts';

type ImageBackends = Pick<Backends, 'images' | 'containers' | 'clock' | 'storageDriver' | 'events' | 'disk'>;

/** Images, apart from moving them in and out. */
export function imageRoutes(backends: ImageBackends): readonly Route[] {
  const { images } = backends;
  return [
    {
      method: 'GET',
      path: '/images/json',
      operation: 'ImageList',
      handle: async (exchange) => ok(await listImages(backends, exchange)),
    },
    {
      method: 'POST',
      path: '/images/prune',
      operation: 'ImagePrune',
      handle: async (exchange) => ok(await pruneImages(backends, exchange)),
    },
    {
      method: 'GET',
      path: named('images', '/json'),
      operation: 'ImageInspect',
      handle: async (exchange) => ok(await inspect(backends, exchange)),
    },
    {
      method: 'GET',
      path: named('images', '/attestations'),
      operation: 'ImageAttestations',
      handle: async (exchange) => ok(await attestations(backends, exchange)),
    },
    {
      method: 'GET',
      path: named('images', '/history'),
      operation: 'ImageHistory',
      handle: async ({ name, query, signal }) => {
        const platform = platformOf(query);
        const chosen = platform ? (await images.select(name, platform, { signal })).id : name;
        return ok(viewHistory(images.history(chosen)));
      },
    },
    {
      method: 'POST',
      path: named('images', '/tag'),
      operation: 'ImageTag',
      handle: (exchange): Answer => {
        const { name, query } = exchange;
        images.tag(name, newName(query.text('repo'), query.text('tag')));
        return created(undefined);
      },
    },
    {
      method: 'DELETE',
      path: named('images'),
      operation: 'ImageDelete',
      handle: async ({ name, query }) =>
        ok(
          await images.remove(name, {
            force: query.boolean('force'),
            prune: !query.boolean('noprune'),
            platforms: query.all('platforms').map(decodePlatform),
          }),
        ),
    },
  ];
}

/** `name:tag` or `name@digest` of the parts that requests keep apart. */
export function joinTag(name: string, tag: string): string {
  if (tag === '') return name;
  return /^[a-z0-9+._-]+:[0-9a-fA-F]{32,}$/.test(tag) ? `${name}@${tag}` : `${name}:${tag}`;
}

/** The name that an image gets. Throws invalidArgument in Docker's words. */
export function newName(repo: string, tag: string): string {
  const reference = parseReference(repo);
  if (reference.digest !== undefined) throw invalidArgument('cannot import digest reference');
  return tag === '' ? repo : `${canonicalName(reference)}:${withTag(reference, tag).tag ?? ''}`;
}

async function inspect(backends: ImageBackends, exchange: Exchange): Promise<ImageInspect> {
  const { images, storageDriver } = backends;
  const { name, query, signal } = exchange;
  const platform = platformOf(query);
  const wantsManifests = query.boolean('manifests');
  if (platform && wantsManifests) {
    throw invalidArgument('conflicting options: manifests and platform options cannot both be set');
  }
  const image = platform ? await images.select(name, platform, { signal }) : images.get(name);
  const view = viewImage(image, storageDriver, images.folders(image.id));
  if (!wantsManifests) return view;
  const containers = containersByImage(backends);
  const manifests = await images.manifests(image.id);
  return { ...view, Manifests: manifests.map((one) => viewManifest(one, containers)) };
}

/** What is said about an image: how it was built, what is in it. */
async function attestations(
  { images }: ImageBackends,
  { name, query, signal }: Exchange,
): Promise<readonly AttestationStatement[]> {
  if (query.all('platform').length > 1) throw invalidArgument('only one platform is supported');
  const platform = platformOf(query);
  const image = platform ? await images.select(name, platform, { signal }) : images.get(name);
  const options = { types: query.all('type'), whole: query.boolean('statement') };
  const found = await images.attestations(image.id, options);
  return found.map(({ descriptor, predicateType, statement }) => ({
    Descriptor: descriptor,
    PredicateType: predicateType,
    ...(options.whole && { Statement: statement }),
  }));
}

/** Removes images that no container uses: those without a tag, or with `dangling=false` all of them. */
async function pruneImages(
  backends: ImageBackends,
  { query, signal }: Exchange,
): Promise<ImagesPruneResponse> {
  const { images, disk, events } = backends;
  const filters = query.filters(['dangling', 'label', 'label!', 'until']);
  if (filters.all('until').length > 1) throw invalidArgument('more than one until filter specified');
  checkUntil(filters);
  const onlyDangling = filters.boolean('dangling') ?? true;
  const tests = imageTests(backends, filters.without('dangling'));
  const used = containersByImage(backends);
  const now = query.boolean('now');
  const { binned, image: remove } = disk.prune({ now });
  const { removed, bytes } = await prune({
    noun: 'image',
    items: images
      .list()
      .filter((image) => !used.has(image.id) && (!onlyDangling || image.tags.length === 0))
      .filter((image) => tests.every((test) => test(image))),
    remove: ({ id }) => remove(id),
    ...(now && { finish: () => disk.empty(new Set(['image'])) }),
    events,
    signal,
  });
  return {
    ImagesDeleted: removed.length > 0 ? removed : null,
    SpaceReclaimed: bytes,
    ...(binned && removed.length > 0 && { Wharf: { Binned: true } }),
  };
}
