import type { Readable } from 'node:stream';
import type { BlobSource, BuiltLayer } from '#images';
import { invalidArgument } from '#kernel';
import { digestOf, isDigest, mediaTypes, type Descriptor, type Digest } from '#oci';
import type { ExportStep } from '../export/exporter.ts';
import {
  cacheConfigType,
  inlineCacheKey,
  readCacheConfig,
  readInlineCache,
  type SharedCache,
} from './cache-config.ts';
import type { ImportedCache } from './imported-caches.ts';

interface Cancellable {
  readonly signal: AbortSignal;
}

/** Where a cache, or an image that says how it was made, is kept: a repository, a folder of the client. */
export interface CacheRepository extends BlobSource {
  /** The manifest or index that was asked for. */
  root(options: Cancellable): Promise<Uint8Array>;
  /** One that it leads to. */
  manifest(digest: Digest, options: Cancellable): Promise<Uint8Array>;
}

/** A cache that a build is given. */
export interface CacheOrigin {
  /** What clients are told, `importing cache manifest from …`. */
  readonly title: string;
  /** An image that is taken in its place where it is here and says how it was made. */
  readonly image?: string;
  readonly repository?: CacheRepository;
}

/** Bytes of the largest document that is read. */
const largestDocument = 16 * 1024 * 1024;

/** The parts of manifests and indexes that matter here. */
interface Manifest {
  readonly mediaType?: string;
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/** Reads what a cache has; none of its layers is fetched. Throws invalidArgument. */
export async function readCache(
  from: CacheRepository,
  step: ExportStep,
  options: Cancellable,
): Promise<ImportedCache> {
  const root = parseJson(await from.root(options)) as Manifest; // its parts are checked where they are used
  const guessed = root.manifests ? mediaTypes.ociIndex : mediaTypes.ociManifest;
  step.did(`inferred cache manifest type: ${root.mediaType ?? guessed}`);
  const config = [root.config, ...(root.manifests ?? [])].find((each) => each?.mediaType === cacheConfigType);
  if (config) {
    return { from, cache: readCacheConfig((await readDocument(from, config, options)).toString()) };
  }
  const caches = root.manifests
    ? await Promise.all(
        root.manifests
          .filter(({ digest }) => isDigest(digest))
          .map(async ({ digest }) =>
            readImageCache(from, parseJson(await from.manifest(digest, options)) as Manifest, options),
          ),
      )
    : [await readImageCache(from, root, options)];
  return { from, cache: { steps: caches.flatMap(({ steps }) => steps), mounts: [] } };
}

/** What an image's configuration says. */
async function readImageCache(
  from: CacheRepository,
  { config, layers = [] }: Manifest,
  options: Cancellable,
): Promise<SharedCache> {
  if (!config || layers.length === 0) return { steps: [], mounts: [] };
  const text = await readDocument(from, config, options);
  return cacheOfImage(text.toString(), (diffIds) =>
    layers.map((blob, n): BuiltLayer => ({ diffId: diffIds[n] ?? blob.digest, blob })),
  );
}

/** The steps that made an image, by the text of its configuration; none where it says nothing. */
export function cacheOfImage(
  text: string,
  layersOf: (diffIds: readonly Digest[]) => readonly BuiltLayer[],
): SharedCache {
  const image = parseJson(Buffer.from(text)) as {
    readonly [inlineCacheKey]?: unknown;
    readonly rootfs?: { readonly diff_ids?: readonly string[] };
  };
  const encoded = image[inlineCacheKey];
  const diffIds = (image.rootfs?.diff_ids ?? []).filter((id) => isDigest(id));
  const layers = layersOf(diffIds);
  if (typeof encoded !== 'string' || layers.length !== diffIds.length) return { steps: [], mounts: [] };
  return readInlineCache(encoded, layers);
}

async function readDocument(
  from: CacheRepository,
  descriptor: Descriptor,
  options: Cancellable,
): Promise<Buffer> {
  if (descriptor.size > largestDocument) throw invalidArgument(`blob ${descriptor.digest} is too large`);
  const stream: Readable = await from.fetchBlob(descriptor, options);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > largestDocument) throw invalidArgument(`blob ${descriptor.digest} is too large`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) !== descriptor.digest) throw invalidArgument(`blob ${descriptor.digest} is damaged`);
  return bytes;
}

function parseJson(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    throw invalidArgument('the manifest of the cache is no JSON', error);
  }
  throw invalidArgument('the manifest of the cache is no object');
}
