import type { ContentStore } from '#content';
import {
  hexOf,
  isManifest,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
  type Index,
  type Manifest,
} from '#oci';
import type { Claim } from './claims.ts';
import type { ImageIntake } from './image-intake.ts';

export interface IndexCompressionOptions {
  readonly content: ContentStore;
  readonly intake: ImageIntake;
  readonly claim: Claim;
  /** The layers of a manifest in their new form. */
  compressed(manifest: Manifest): Promise<readonly Descriptor[]>;
}

/** BuildKit's annotation of a manifest that says something about another one. */
const aboutAnnotation = 'vnd.docker.reference.digest';

/** Puts an index over the same images with compressed layers; what is said about the images then names the new ones. */
export class IndexCompression {
  readonly #options: IndexCompressionOptions;
  /** Manifests that another one takes the place of. */
  readonly #replaced = new Map<Digest, Descriptor>();

  constructor(options: IndexCompressionOptions) {
    this.#options = options;
  }

  /** Manifests by those in whose place they are; none where nothing is to be done. */
  get replaced(): ReadonlyMap<Digest, Descriptor> {
    return this.#replaced;
  }

  /** The index itself where nothing is to be done, or where not all of its manifests are here. */
  async compress(target: Descriptor): Promise<Descriptor> {
    const index = parseIndex(await this.#options.content.read(target.digest));
    if (!(await this.#isWhole(index))) return target;
    for (const entry of index.manifests) await this.#compressImage(entry);
    if (this.#replaced.size === 0) return target;
    const manifests: Descriptor[] = [];
    for (const entry of index.manifests) manifests.push(await this.#newEntry(entry));
    return this.#put(target.mediaType, { ...index, manifests });
  }

  async #isWhole({ manifests }: Index): Promise<boolean> {
    for (const { digest, mediaType } of manifests) {
      if (!isManifest(mediaType) || !(await this.#options.content.find(digest))) return false;
    }
    return true;
  }

  async #manifest({ digest }: Descriptor): Promise<Manifest> {
    return parseManifest(await this.#options.content.read(digest));
  }

  async #compressImage(entry: Descriptor): Promise<void> {
    if (entry.annotations?.[aboutAnnotation] !== undefined) return;
    const manifest = await this.#manifest(entry);
    const layers = await this.#options.compressed(manifest);
    if (layers.every(({ digest }, n) => digest === manifest.layers[n]?.digest)) return;
    this.#replaced.set(entry.digest, await this.#put(entry.mediaType, { ...manifest, layers }));
  }

  async #newEntry(entry: Descriptor): Promise<Descriptor> {
    const own = this.#replaced.get(entry.digest);
    if (own) return { ...entry, digest: own.digest, size: own.size };
    const about = entry.annotations?.[aboutAnnotation];
    const [old, subject] = [...this.#replaced].find(([digest]) => digest === about) ?? [];
    if (!old || !subject) return entry;
    const { digest, size } = await this.#statements(entry, old, subject);
    return {
      ...entry,
      digest,
      size,
      annotations: { ...entry.annotations, [aboutAnnotation]: subject.digest },
    };
  }

  /** What is said about an image, word for word but for the image's digest. */
  async #statements(entry: Descriptor, old: Digest, subject: Descriptor): Promise<Descriptor> {
    const { content, intake, claim } = this.#options;
    const manifest = await this.#manifest(entry);
    const renamed = new Map([[hexOf(old), hexOf(subject.digest)]]);
    const rewritten = async (blob: Descriptor): Promise<Descriptor> => {
      const text = Buffer.from(await content.read(blob.digest, largestStatement)).toString();
      let changed = text;
      for (const [from, to] of renamed) changed = changed.replaceAll(from, to);
      if (changed === text) return blob;
      const put = await intake.put(claim, blob.mediaType, Buffer.from(changed));
      renamed.set(hexOf(blob.digest), hexOf(put.digest));
      return { ...blob, digest: put.digest, size: put.size };
    };
    const layers: Descriptor[] = [];
    for (const layer of manifest.layers) layers.push(await rewritten(layer));
    // It lists the statements as an image's configuration does its layers.
    const config = await rewritten(manifest.config);
    const { digest, size } = subject;
    return this.#put(entry.mediaType, {
      ...manifest,
      config,
      layers,
      ...(manifest.subject && { subject: { ...manifest.subject, digest, size } }),
    });
  }

  async #put(mediaType: string, document: Index | Manifest): Promise<Descriptor> {
    const { intake, claim } = this.#options;
    return intake.put(claim, mediaType, Buffer.from(JSON.stringify(document, null, 2)));
  }
}

/** bytes */
const largestStatement = 64 * 1024 * 1024;
