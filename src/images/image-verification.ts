import type { Archiver } from '#archive';
import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { conflict, isKind, messageOf, newId, shortId } from '#kernel';
import { algorithmOf, canonicalName, hexOf, parseReference, type Descriptor, type Digest } from '#oci';
import type { RegistryAuth, RegistryClient, Repository } from '#registry/client';
import type { Snapshotter } from '#snapshots';
import type { BlobSources } from './blob-sources.ts';
import type { Claim, Claims } from './claims.ts';
import { imageAttributes } from './image-events.ts';
import type { ImageIndex, StoredImage } from './image-index.ts';
import type { ImageUser } from './image-removal.ts';
import type { ImageDefect, VerifiedImage } from './images.ts';
import { unpackPrefix } from './layer-unpacker.ts';

export interface ImageVerificationOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly archiver: Archiver;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly sources: BlobSources;
  readonly registry: RegistryClient;
  readonly events: EventSink;
  users(image: Digest): readonly ImageUser[];
}

export interface VerifyOptions {
  readonly repair: boolean;
  readonly auth: RegistryAuth;
  readonly signal: AbortSignal;
}

/** The digest of a plain base layer is its chainID too. */
type SeenKey = `${'blob' | 'layer'} ${Digest}`;

/** One look at the store: what several images share is looked at once. */
interface Look extends VerifyOptions {
  readonly seen: Map<SeenKey, ImageDefect | undefined>;
  readonly claim: Claim;
}

/** Reads images again from the disk, byte by byte, and mends what can be mended. */
export class ImageVerification {
  readonly #options: ImageVerificationOptions;

  constructor(options: ImageVerificationOptions) {
    this.#options = options;
  }

  async verify(images: readonly StoredImage[], options: VerifyOptions): Promise<readonly VerifiedImage[]> {
    await using claim = this.#options.claims.open();
    const look: Look = { ...options, seen: new Map(), claim };
    const verified: VerifiedImage[] = [];
    for (const image of images) verified.push(await this.#verifyImage(image, look));
    return verified;
  }

  async #verifyImage(image: StoredImage, look: Look): Promise<VerifiedImage> {
    const { id, chainIds } = image.model;
    const defects: ImageDefect[] = [];
    const note = (defect: ImageDefect | undefined): boolean => {
      if (defect) defects.push(defect);
      return defect === undefined || defect.isRepaired;
    };
    for (const descriptor of this.#blobsOf(image)) {
      await look.claim.blob(descriptor.digest);
      note(
        await this.#once(`blob ${descriptor.digest}`, look, () => this.#verifyBlob(image, descriptor, look)),
      );
    }
    for (const [n, chainId] of chainIds.entries()) {
      await look.claim.snapshot(chainId);
      const isWhole = note(
        await this.#once(`layer ${chainId}`, look, () => this.#verifyLayer(image, n, look)),
      );
      // What stands on a layer that is wrong would be compared with the wrong.
      if (!isWhole) break;
    }
    if (defects.length > 0) this.#tell(image, defects);
    return { id, names: [...image.record.tags, ...image.record.digests], defects };
  }

  async #once(
    key: SeenKey,
    { seen, signal }: Look,
    look: () => Promise<ImageDefect | undefined>,
  ): Promise<ImageDefect | undefined> {
    signal.throwIfAborted();
    if (!seen.has(key)) seen.set(key, await look());
    return seen.get(key);
  }

  /** The documents and layers that the image cannot do without, and what else is here of its index. */
  #blobsOf({ model }: StoredImage): readonly Partial<Descriptor>[] & readonly { readonly digest: Digest }[] {
    const { target, manifest, configuration, layers, blobs } = model;
    const needed = [target, manifest, configuration, ...layers];
    const known = new Set(needed.map(({ digest }) => digest));
    const others = [...blobs].filter((digest) => !known.has(digest)).map((digest) => ({ digest }));
    return [...needed, ...others];
  }

  async #stateOf(digest: Digest, signal: AbortSignal): Promise<'whole' | 'missing' | 'damaged'> {
    const { content, archiver } = this.#options;
    try {
      const path = await content.path(digest);
      const hex = await archiver.digest(path, { algorithm: algorithmOf(digest), signal });
      return hex === hexOf(digest) ? 'whole' : 'damaged';
    } catch (error) {
      if (isKind(error, 'notFound')) return 'missing';
      throw error;
    }
  }

  async #verifyBlob(
    image: StoredImage,
    descriptor: Partial<Descriptor> & { readonly digest: Digest },
    look: Look,
  ): Promise<ImageDefect | undefined> {
    const { digest } = descriptor;
    const state = await this.#stateOf(digest, look.signal);
    if (state === 'whole') return undefined;
    const problem = state === 'missing' ? 'the blob is missing' : 'the blob is damaged';
    const defect = { kind: 'blob', digest, problem } as const;
    if (!look.repair) return { ...defect, isRepaired: false };
    const remedy = await this.#fetchAgain(image, descriptor, look);
    return remedy === undefined ? { ...defect, isRepaired: true } : { ...defect, isRepaired: false, remedy };
  }

  /** From wherever the blob or the image came. Resolves to what went wrong everywhere. */
  async #fetchAgain(
    image: StoredImage,
    descriptor: Partial<Descriptor> & { readonly digest: Digest },
    { auth, signal }: Look,
  ): Promise<string | undefined> {
    const { sources, registry, index } = this.#options;
    const named = index.namesOf(image.model.id).map((name) => canonicalName(parseReference(name)));
    const failures: string[] = [];
    for (const name of new Set([...sources.of(descriptor.digest), ...named])) {
      try {
        await this.#receive(registry.repository(name, auth, 'pull'), descriptor, signal);
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        failures.push(`${name}: ${messageOf(error)}`);
      }
    }
    return `no registry has it; load or build the image again (${failures.join('; ')})`;
  }

  async #receive(
    repository: Repository,
    descriptor: Partial<Descriptor> & { readonly digest: Digest },
    signal: AbortSignal,
  ): Promise<void> {
    const { digest, size, mediaType = '' } = descriptor;
    const expected = { digest, ...(size !== undefined && { size }) };
    await using ingest = await this.#options.content.ingest({ expected, replaces: true });
    if (/manifest|index/.test(mediaType)) {
      await ingest.write((await repository.fetchManifest(digest, { signal })).bytes);
    } else {
      const stream = await repository.fetchBlob({ digest, size: size ?? 0, mediaType }, { signal });
      for await (const chunk of stream as AsyncIterable<Uint8Array>) await ingest.write(chunk);
    }
    signal.throwIfAborted();
    await ingest.commit();
  }

  /** Unpacks the layer once more beside the one that is there, and compares file by file. */
  async #verifyLayer({ model }: StoredImage, n: number, look: Look): Promise<ImageDefect | undefined> {
    const { snapshots, archiver, content } = this.#options;
    const { signal, seen, claim } = look;
    const [layer, digest, parent] = [model.layers[n], model.chainIds[n], model.chainIds[n - 1]];
    if (!layer || !digest) return undefined;
    const broken = seen.get(`blob ${layer.digest}`);
    const defect = { kind: 'layer', digest } as const;
    if (broken && !broken.isRepaired) {
      return { ...defect, problem: 'it cannot be compared with its blob', isRepaired: false };
    }
    const key = `${unpackPrefix}${newId()}`;
    await claim.snapshot(key);
    const mounts = await snapshots.prepare(key, parent);
    try {
      const path = await content.path(layer.digest);
      const applied = await archiver.applyLayer({ path }, { mounts, signal });
      const diffId = model.config.rootfs.diff_ids[n];
      if (applied.diffId !== diffId) {
        return {
          ...defect,
          problem: `its blob unpacks to ${applied.diffId}, not ${diffId}`,
          isRepaired: false,
        };
      }
      const [folder = ''] = snapshots.mounts(digest).lower;
      const lines = await archiver.compareTrees(folder, { model: mounts.upper ?? '', signal });
      if (lines.length === 0) return undefined;
      const problem = `the unpacked layer is not what its blob says:\n${lines.join('\n')}`;
      if (!look.repair) return { ...defect, problem, isRepaired: false };
      return { ...defect, problem, ...(await this.#replace(digest, key)) };
    } finally {
      await snapshots.remove(key);
    }
  }

  async #replace(digest: Digest, by: string): Promise<Pick<ImageDefect, 'isRepaired' | 'remedy'>> {
    const check = (): void => {
      const users = this.#runningOn(digest);
      if (users.length === 0) return;
      throw conflict(`containers run on it: stop ${users.map(shortId).join(', ')} and try again`);
    };
    try {
      check();
      await this.#options.snapshots.replace(digest, by, { check });
      return { isRepaired: true };
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
      return { isRepaired: false, remedy: messageOf(error) };
    }
  }

  #runningOn(chainId: Digest): readonly string[] {
    return this.#options.index
      .images()
      .filter(({ model }) => model.chainIds.includes(chainId))
      .flatMap(({ model }) => this.#options.users(model.id))
      .filter(({ running }) => running)
      .map(({ containerId }) => containerId);
  }

  #tell({ model, record }: StoredImage, defects: readonly ImageDefect[]): void {
    const repaired = defects.filter(({ isRepaired }) => isRepaired).length;
    const name = record.tags[0] ?? model.id;
    this.#options.events.publish('image', repaired === defects.length ? 'repair' : 'corrupt', model.id, {
      ...imageAttributes(name, model.config),
      defects: String(defects.length),
      repaired: String(repaired),
    });
  }
}
