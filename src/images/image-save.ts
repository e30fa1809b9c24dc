import { Readable } from 'node:stream';
import { tarHeader, writeTar, type NewTarEntry } from '#archive';
import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { messageOf, notFound, type Logger } from '#kernel';
import {
  algorithmOf,
  canonicalName,
  familiarName,
  findImageId,
  formatPlatform,
  hexOf,
  mediaTypes,
  parseReference,
  type Descriptor,
  type Digest,
} from '#oci';
import type { Claim, Claims } from './claims.ts';
import { imageAttributes } from './image-events.ts';
import { familiar, isDigestName, type ImageIndex, type ImageName } from './image-index.ts';
import type { Images } from './images.ts';
import type { PlatformImages } from './platform-images.ts';
import { findMissingBlob, type ImageModel } from './stored-image.ts';

type SaveOptions = Parameters<Images['save']>[1];

export interface ImageSaveOptions {
  readonly content: ContentStore;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly events: EventSink;
  readonly logger: Logger;
  readonly platforms: PlatformImages;
}

interface SavedImage {
  readonly model: ImageModel;
  readonly names: ImageName[];
  /** Of an index only this image's manifest is wanted. */
  readonly alone?: boolean;
}

const blobPath = (digest: Digest): string => `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;

/** `docker save`: an archive that is an OCI layout and, for older readers, a docker-archive of the same blobs. */
export class ImageSave {
  readonly #options: ImageSaveOptions;

  constructor(options: ImageSaveOptions) {
    this.#options = options;
  }

  /** Throws notFound before anything is written. The blobs stay at least until the stream is closed. */
  async save(references: readonly string[], options: SaveOptions): Promise<Readable> {
    const { claims, content, events } = this.#options;
    const { signal } = options;
    const images = await this.#ofPlatforms(this.#select(references), options);
    const claim = claims.open();
    try {
      for (const { model } of images) {
        for (const digest of model.blobs) await claim.blob(digest);
      }
      const targets = new Map<Digest, Descriptor>();
      const blobs = new Map<Digest, number>();
      for (const { model, alone } of images) {
        const isWhole = !alone && !(await findMissingBlob(content, model.blobs));
        targets.set(model.id, isWhole ? model.target : model.manifest);
        const wanted = isWhole
          ? model.blobs
          : [model.manifest.digest, model.id, ...model.layers.map((l) => l.digest)];
        for (const digest of wanted) blobs.set(digest, (await content.get(digest)).size);
      }
      const stream = Readable.from(writeTar(this.#entries(images, targets, blobs)), {
        objectMode: false,
        signal,
      });
      stream.once('close', () => void this.#release(claim));
      for (const { model } of images) {
        events.publish('image', 'save', model.id, imageAttributes(model.id, model.config));
      }
      return stream;
    } catch (error) {
      await claim[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #release(claim: Claim): Promise<void> {
    try {
      await claim[Symbol.asyncDispose]();
    } catch (error) {
      this.#options.logger.warn({ error: messageOf(error) }, 'tidying up after a save failed');
    }
  }

  /** The images for these platforms in place of those that the names stand for. Throws notFound. */
  async #ofPlatforms(
    images: readonly SavedImage[],
    { platforms = [], signal }: SaveOptions,
  ): Promise<readonly SavedImage[]> {
    if (platforms.length === 0) return images;
    const chosen: SavedImage[] = [];
    for (const { model, names } of images) {
      for (const platform of platforms) {
        const image = this.#options.index.byId(model.id);
        const found = image && (await this.#options.platforms.trySelect(image, platform, signal));
        if (!found) {
          throw notFound(`no suitable export target found for platform ${formatPlatform(platform)}`);
        }
        chosen.push({ model: found.model, names, alone: true });
      }
    }
    return chosen;
  }

  /** A repository without a tag stands for all its tags; an id brings no name along. */
  #select(references: readonly string[]): readonly SavedImage[] {
    const { index } = this.#options;
    const images = new Map<Digest, SavedImage>();
    const add = (id: Digest, name: ImageName | undefined): void => {
      const model = index.byId(id)?.model;
      if (!model) return;
      const image = images.get(id) ?? { model, names: [] };
      images.set(id, image);
      if (name !== undefined && !isDigestName(name) && !image.names.includes(name)) image.names.push(name);
    };
    for (const text of references) {
      const reference = findImageId(text) ? undefined : parseReference(text);
      const isBare = reference !== undefined && reference.tag === undefined && reference.digest === undefined;
      const tags = isBare ? index.tagsOfRepository(canonicalName(reference)) : [];
      const found = tags.length === 0 ? index.resolve(text) : undefined;
      if (found) add(found.id, found.name);
      else if (tags.length === 0) throw notFound(`No such image: ${text}`);
      for (const name of tags) {
        const id = index.imageOf(name);
        if (id) add(id, name);
      }
    }
    return [...images.values()];
  }

  *#entries(
    images: readonly SavedImage[],
    targets: ReadonlyMap<Digest, Descriptor>,
    blobs: ReadonlyMap<Digest, number>,
  ): Generator<NewTarEntry, void, undefined> {
    const folders = new Set([...blobs.keys()].map((digest) => `blobs/${algorithmOf(digest)}/`));
    for (const name of ['blobs/', ...folders]) yield { header: tarHeader({ name, type: 'folder' }) };
    for (const [digest, size] of blobs) {
      yield { header: tarHeader({ name: blobPath(digest), size }), content: this.#read(digest) };
    }
    yield jsonEntry('index.json', indexOf(images, targets));
    yield jsonEntry('manifest.json', images.map(dockerEntry));
    yield jsonEntry('oci-layout', { imageLayoutVersion: '1.0.0' });
    const repositories = repositoriesOf(images);
    if (Object.keys(repositories).length > 0) yield jsonEntry('repositories', repositories);
  }

  async *#read(digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
    yield* (await this.#options.content.openStream(digest)) as AsyncIterable<Uint8Array>;
  }
}

function jsonEntry(name: string, value: object): NewTarEntry {
  const content = Buffer.from(JSON.stringify(value));
  return { header: tarHeader({ name, size: content.length }), content };
}

function indexOf(images: readonly SavedImage[], targets: ReadonlyMap<Digest, Descriptor>): object {
  const manifests = images.flatMap(({ model, names }) => {
    const { mediaType, digest, size } = targets.get(model.id) ?? model.manifest;
    const descriptor = { mediaType, digest, size };
    if (names.length === 0) return [descriptor];
    return names.map((name) => ({
      ...descriptor,
      annotations: {
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': parseReference(name).tag ?? '',
      },
    }));
  });
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

const dockerEntry = ({ model, names }: SavedImage): object => ({
  Config: blobPath(model.id),
  RepoTags: names.length === 0 ? null : names.map(familiar),
  Layers: model.layers.map(({ digest }) => blobPath(digest)),
});

/** The file that Docker before 1.10 read: the top layer of each name. */
function repositoriesOf(images: readonly SavedImage[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { model, names } of images) {
    const top = model.layers.at(-1);
    for (const name of names) {
      const reference = parseReference(name);
      if (top) (repositories[familiarName(reference)] ??= {})[reference.tag ?? ''] = hexOf(top.digest);
    }
  }
  return repositories;
}
