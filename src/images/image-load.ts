import { decompress } from '#archive';
import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { invalidArgument, isKind, shortId } from '#kernel';
import {
  canonicalString,
  familiarString,
  isIndex,
  isManifest,
  matchesPlatform,
  parseIndex,
  parseManifest,
  rankByPlatform,
  type Descriptor,
  type Digest,
  type Platform,
} from '#oci';
import type { Claim, Claims } from './claims.ts';
import { readDockerArchive, type ArchivedImage } from './docker-archive.ts';
import { imageAttributes } from './image-events.ts';
import type { ImageIndex } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import type { Images, ProgressEvent } from './images.ts';
import { readLegacyArchive } from './legacy-archive.ts';
import { readOciArchive } from './oci-archive.ts';
import { ReceivedArchive } from './received-archive.ts';
import { chooseManifest, findMissingBlob, readConfig } from './stored-image.ts';

export interface ImageLoadOptions {
  readonly content: ContentStore;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly intake: ImageIntake;
  readonly events: EventSink;
  readonly platform: Platform;
}

type LoadOptions = Parameters<Images['load']>[1];

/** `docker load`. */
export class ImageLoad {
  readonly #options: ImageLoadOptions;

  constructor(options: ImageLoadOptions) {
    this.#options = options;
  }

  async load(source: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<void> {
    const { content, claims } = this.#options;
    await using claim = claims.open();
    const archive = new ReceivedArchive(content, claim, options.signal);
    await archive.receive((await decompress(source, options)).stream);
    const images = await this.#images(archive);
    const platforms = options.platforms ?? [];
    if (platforms.length === 0) {
      for (const image of images) await this.#admit(image, this.#options.platform, claim, options);
      return;
    }
    for (const platform of platforms) {
      const fitting = await this.#fitting(images, platform, claim);
      for (const image of fitting) await this.#admit(image, platform, claim, options);
    }
  }

  /** An archive that is both is read as an OCI layout, which keeps digests, unless blobs are left out of it. */
  async #images(archive: ReceivedArchive): Promise<readonly ArchivedImage[]> {
    const { content } = this.#options;
    const isDocker = archive.has('manifest.json');
    if (!archive.has('index.json') || !archive.has('oci-layout')) {
      if (isDocker) return readDockerArchive(archive);
      if (archive.has('repositories')) return readLegacyArchive(archive);
      throw invalidArgument('invalid archive: there is neither manifest.json nor index.json in it');
    }
    const images = await readOciArchive(archive, content);
    if (!isDocker) return images;
    return (await this.#isWhole(images)) ? images : readDockerArchive(archive);
  }

  async #isWhole(images: readonly ArchivedImage[]): Promise<boolean> {
    for (const { source } of images) {
      if (source.kind === 'target' && !(await this.#findWhole(source.target, this.#options.platform)))
        return false;
    }
    return true;
  }

  /** The images that there are for the platform; others are passed over. */
  async #fitting(
    images: readonly ArchivedImage[],
    platform: Platform,
    claim: Claim,
  ): Promise<readonly ArchivedImage[]> {
    const fitting: ArchivedImage[] = [];
    for (const image of images) {
      if (await this.#isFor(image, platform, claim)) fitting.push(image);
    }
    return fitting;
  }

  async #isFor({ source }: ArchivedImage, platform: Platform, claim: Claim): Promise<boolean> {
    const { content, intake } = this.#options;
    const target =
      source.kind === 'target'
        ? source.target
        : await intake.putManifest(claim, source.config, source.layers);
    try {
      const chosen = await chooseManifest(content, target, platform, target.digest);
      const config = await readConfig(content, parseManifest(await content.read(chosen.digest)));
      return matchesPlatform(platform, config);
    } catch (error) {
      if (isKind(error, 'notFound')) return false;
      throw error;
    }
  }

  async #admit(image: ArchivedImage, platform: Platform, claim: Claim, options: LoadOptions): Promise<void> {
    const { intake, index, events } = this.#options;
    const { signal, report } = options;
    const { source, references } = image;
    const target =
      source.kind === 'target'
        ? source.target
        : await intake.putManifest(claim, source.config, source.layers);
    const manifest = await this.#chooseWhole(target, platform);
    const names = references.map(canonicalString);
    const before = new Map(names.map((name) => [name, index.imageOf(name)]));
    const { record, model } = await intake.admit(target, {
      manifest,
      names,
      platform,
      claim,
      signal,
      watcher: await this.#watcher(manifest, report),
    });
    references.forEach((reference, n) => {
      const name = familiarString(reference);
      const old = before.get(names[n] ?? '');
      if (old && old !== record.id) {
        report({
          stream: `The image ${name} already exists, renaming the old one with ID ${old} to empty string\n`,
        });
      }
    });
    for (const reference of references) report({ stream: `Loaded image: ${familiarString(reference)}\n` });
    if (references.length === 0) report({ stream: `Loaded image ID: ${record.id}\n` });
    events.publish('image', 'load', record.id, imageAttributes(record.id, model.config));
  }

  /**
   * The manifest for the platform; where nothing in the archive runs on it, the first one that is whole. Throws
   * invalidArgument where the archive lacks a blob of it.
   */
  async #chooseWhole(target: Descriptor, platform: Platform): Promise<Descriptor> {
    const { content } = this.#options;
    const found = await this.#findWhole(target, platform);
    if (found) return found;
    const chosen = await chooseManifest(content, target, platform, target.digest);
    const missing = (await findMissingBlob(content, [chosen.digest])) ?? (await this.#missingOf(chosen));
    throw invalidArgument(`invalid archive: blob ${missing ?? chosen.digest} is missing from it`);
  }

  async #findWhole(target: Descriptor, platform: Platform): Promise<Descriptor | undefined> {
    const { content } = this.#options;
    for (const chosen of await this.#candidates(target, platform)) {
      if ((await content.find(chosen.digest)) && !(await this.#missingOf(chosen))) return chosen;
    }
    return undefined;
  }

  async #missingOf({ digest }: Descriptor): Promise<Digest | undefined> {
    const { content } = this.#options;
    const { config, layers } = parseManifest(await content.read(digest));
    return findMissingBlob(
      content,
      [config, ...layers].map((blob) => blob.digest),
    );
  }

  /** Manifests to try, best first; those of other platforms come last, attestations never. */
  async #candidates(target: Descriptor, platform: Platform): Promise<readonly Descriptor[]> {
    const { content } = this.#options;
    if (!isIndex(target.mediaType)) return [target];
    const entries = parseIndex(await content.read(target.digest)).manifests;
    const ranked = rankByPlatform(
      platform,
      entries.filter(({ mediaType }) => isManifest(mediaType)),
    );
    const others = entries.filter((entry) => isManifest(entry.mediaType) && !ranked.includes(entry));
    const known = others.filter((entry) => (entry.platform?.os ?? 'unknown') !== 'unknown');
    if (ranked.length + known.length > 0) return [...ranked, ...known];
    return [await chooseManifest(content, target, platform, target.digest)];
  }

  /** Docker's lines per layer, named by diffID. */
  async #watcher(
    manifest: Descriptor,
    report: (event: ProgressEvent) => void,
  ): Promise<{ started(layer: number): void; finished(layer: number): void }> {
    const { content } = this.#options;
    const document = parseManifest(await content.read(manifest.digest));
    const { diff_ids: diffIds } = (await readConfig(content, document)).rootfs;
    const started = new Set<number>();
    const say = (layer: number, whole: boolean): void => {
      const total = document.layers[layer]?.size ?? 0;
      const id = shortId(diffIds[layer] ?? '');
      report({ id, status: 'Loading layer', current: whole ? total : Math.min(32768, total), total });
    };
    return {
      started: (layer) => {
        started.add(layer);
        say(layer, false);
      },
      finished: (layer) => {
        if (started.has(layer)) say(layer, true);
      },
    };
  }
}
