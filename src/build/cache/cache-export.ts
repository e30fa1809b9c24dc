import { Readable } from 'node:stream';
import { topOf, type BlobSource, type BuildClaim, type LayerForm, type LayerStack } from '#images';
import { Limiter } from '#kernel';
import { chainIds, digestOf, mediaTypes, type Descriptor, type Digest } from '#oci';
import type { ExportResponse, ExportStep } from '../export/exporter.ts';
import { layerTypeIn } from '../export/layer-types.ts';
import type { SolvedStep } from '../solver/step-cache.ts';
import { cacheConfigType, writeCacheConfig, type SharedMount, type SharedStep } from './cache-config.ts';

interface Cancellable {
  readonly signal: AbortSignal;
}

/** Where a cache is put: a repository, a folder of the client. */
export interface CacheSink {
  has(blob: Descriptor, options: Cancellable): Promise<boolean>;
  /** `open`: the bytes from an offset on. */
  putBlob(blob: Descriptor, open: (offset: number) => Promise<Readable>, options: Cancellable): Promise<void>;
  putManifest(mediaType: string, bytes: Uint8Array, options: Cancellable): Promise<void>;
}

/** What a client wants of the cache of its build. */
export interface CacheTarget {
  /** What clients are told, `exporting cache to registry`. */
  readonly title: string;
  readonly sink: CacheSink;
  /** `min`: the layers of the result; `max`: those of every step. */
  readonly mode: 'min' | 'max';
  readonly form: LayerForm;
  /** A manifest as an image has it, else an index of blobs. */
  readonly isManifest: boolean;
  readonly isOci: boolean;
  /** A failure does not fail the build. */
  readonly ignoresErrors: boolean;
  /** Whether what is in cache mounts comes along. */
  readonly withMounts: boolean;
}

/** What is there to be shared. */
export interface SolvedCache {
  readonly steps: readonly SolvedStep[];
  /** Layers of what was built, for each platform. */
  readonly results: readonly LayerStack[];
  /** Packs what is in cache mounts. */
  mounts(): Promise<readonly SharedMount[]>;
  readonly claim: BuildClaim;
  readonly signal: AbortSignal;
}

const atOnce = 4;

/** Puts what a build has done where other builders find it; answers what the client has to know. */
export async function exportCache(
  target: CacheTarget,
  solved: SolvedCache,
  step: ExportStep,
): Promise<ExportResponse> {
  const { sink } = target;
  const { signal } = solved;
  const { steps, origins } = await preparedSteps(target, solved);
  const mounts = target.withMounts ? await solved.mounts() : [];
  if (mounts.length === 0 && !steps.some(({ layers }) => layers)) return {};
  step.did('preparing build cache for export');
  const { text, blobs } = writeCacheConfig({ steps, mounts });
  const limiter = new Limiter(atOnce);
  await Promise.all(
    blobs.map((blob) =>
      limiter.run(async () => {
        signal.throwIfAborted();
        if (await sink.has(blob, { signal })) return;
        const from = origins.get(blob.digest);
        await sink.putBlob(blob, (offset) => open(blob, offset, from, solved), { signal });
        step.did(`writing layer ${blob.digest}`);
      }),
    ),
  );
  const document = Buffer.from(text);
  const config = { mediaType: cacheConfigType, digest: digestOf(document), size: document.length };
  if (!(await sink.has(config, { signal }))) {
    await sink.putBlob(config, (offset) => Promise.resolve(Readable.from([document.subarray(offset)])), {
      signal,
    });
  }
  step.did(`writing config ${config.digest}`);
  const { mediaType, bytes } = manifestOf(target, config, blobs);
  await sink.putManifest(mediaType, bytes, { signal });
  const digest = digestOf(bytes);
  step.did(`writing cache ${target.isManifest ? 'image ' : ''}manifest ${digest}`);
  return { 'cache.manifest': JSON.stringify({ mediaType, digest, size: bytes.length }) };
}

/** The steps with their layers as they will be sent, and where those are that are not here. */
async function preparedSteps(
  { mode, form, isOci }: CacheTarget,
  { steps, results, claim, signal }: SolvedCache,
): Promise<{
  readonly steps: readonly SharedStep[];
  readonly origins: ReadonlyMap<Digest, BlobSource>;
}> {
  const needed = new Set(results.flatMap((layers) => chainIds(layers.map(({ diffId }) => diffId))));
  const origins = new Map<Digest, BlobSource>();
  const forms = new Map<Digest, Descriptor>();
  const prepared: SharedStep[] = [];
  for (const { key, chain, layers, from } of steps) {
    const top = layers && topOf(layers);
    if (!layers || top === undefined || (mode === 'min' && !needed.has(top))) {
      prepared.push({ key, chain, layers: undefined });
      continue;
    }
    const sent: LayerStack[number][] = [];
    for (const layer of layers) {
      const { digest, mediaType } = layer.blob;
      if (from) origins.set(digest, from);
      const blob = from
        ? layer.blob
        : (forms.get(digest) ?? (await claim.outputs.convert(layer, form, { signal })));
      if (!from) forms.set(digest, blob);
      sent.push({
        ...layer,
        blob: { ...blob, mediaType: layerTypeIn(isOci, from ? mediaType : blob.mediaType) },
      });
    }
    prepared.push({ key, chain, layers: sent });
  }
  return { steps: prepared, origins };
}

async function open(
  blob: Descriptor,
  offset: number,
  from: BlobSource | undefined,
  { claim, signal }: SolvedCache,
): Promise<Readable> {
  return from ? from.fetchBlob(blob, { signal, offset }) : claim.outputs.open(blob.digest, offset);
}

function manifestOf(
  { isManifest, isOci }: CacheTarget,
  config: Descriptor,
  blobs: readonly Descriptor[],
): { readonly mediaType: string; readonly bytes: Buffer } {
  const document = (mediaType: string, contents: object): { mediaType: string; bytes: Buffer } => ({
    mediaType,
    bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...contents })),
  });
  if (isManifest) return document(mediaTypes.ociManifest, { config, layers: blobs });
  const mediaType = isOci ? mediaTypes.ociIndex : mediaTypes.dockerManifestList;
  return document(mediaType, { manifests: [...blobs, config] });
}
