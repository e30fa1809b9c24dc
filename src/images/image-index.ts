import { invalidArgument, notFound, type Clock } from '#kernel';
import { integer, text, type Database } from '#metadata';
import {
  canonicalName,
  canonicalString,
  chainId,
  familiarString,
  findImageId,
  parseReference,
  trimmed,
  withDefaultTag,
  withDigest,
  type Descriptor,
  type Digest,
  type Reference,
} from '#oci';
import type { ImageRecord } from './images.ts';
import { HeldByImages } from './held-by-images.ts';
import { ImageParents } from './image-parents.ts';
import { RetiredImages, type RetiredImage } from './retired-images.ts';
import type { ImageModel } from './stored-image.ts';

/** A name as it is kept: canonical, with a tag or a digest. */
export type ImageName = string;

/** Whether somebody tags the image (also by commit or import), or a pull or an archive brings the name. */
export type NameGiver = 'hand' | 'transfer';

export interface StoredImage {
  readonly record: ImageRecord;
  readonly model: ImageModel;
}

interface NameEntry {
  readonly image: Digest;
  readonly taggedAt: bigint;
}

interface ImageEntry {
  readonly model: ImageModel;
  readonly size: number;
  readonly names: Set<ImageName>;
  /** Made when it is asked for, dropped when a name changes. */
  record?: ImageRecord;
}

/** A row of `images`, before its documents are read. */
export interface ImageRow {
  readonly id: Digest;
  readonly target: Descriptor;
  readonly manifest: Descriptor;
  readonly size: number;
}

const isDigestName = (name: ImageName): boolean => name.includes('@');

/**
 * Which images there are and what they are called: the tables `images` and `image_names`, held in memory. Reads
 * touch no disk; every change is one transaction, and memory follows once it has been committed.
 */
export class ImageIndex {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #images = new Map<Digest, ImageEntry>();
  readonly #names = new Map<ImageName, NameEntry>();
  readonly #parents: ImageParents;
  /** In the bin: found by nobody, but what they hold stays. */
  readonly #retired: RetiredImages;
  readonly #held = new HeldByImages();

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#retired = new RetiredImages(db);
    this.#parents = new ImageParents(db);
    this.#clock = clock;
  }

  rows(): readonly ImageRow[] {
    this.#parents.restore();
    return this.#db.all('SELECT id, target, manifest, size FROM images').map((row) => ({
      // Written by add() below.
      id: text(row, 'id') as Digest,
      target: JSON.parse(text(row, 'target')) as Descriptor,
      manifest: JSON.parse(text(row, 'manifest')) as Descriptor,
      size: Number(integer(row, 'size')),
    }));
  }

  /** Takes a row whose documents have been read into memory, with its names. */
  restore(model: ImageModel, size: number): void {
    if (this.#retired.restore(model, size)) return;
    this.#held.add(model);
    const entry: ImageEntry = { model, size, names: new Set() };
    for (const row of this.#db.all('SELECT name, tagged_at FROM image_names WHERE image = ?', model.id)) {
      const name = text(row, 'name');
      entry.names.add(name);
      this.#names.set(name, { image: model.id, taggedAt: integer(row, 'tagged_at') });
    }
    this.#images.set(model.id, entry);
  }

  /**
   * Adds or replaces an image and gives it names, in one transaction; a name that another image had moves here.
   */
  add(model: ImageModel, size: number, names: readonly ImageName[], given: NameGiver = 'transfer'): void {
    const now = this.#clock.now();
    const taggedAt = given === 'hand' ? now : 0n;
    this.#db.transaction(() => {
      this.#db.run(
        `INSERT INTO images (id, target, manifest, chain_id, size, created_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET target = excluded.target, manifest = excluded.manifest`,
        model.id,
        JSON.stringify(model.target),
        JSON.stringify(model.manifest),
        chainId(model.config.rootfs.diff_ids) ?? null,
        size,
        now,
      );
      this.#retired.erase(model.id);
      this.#writeNames(model.id, names, taggedAt);
    });
    this.#held.add(model);
    const known = this.#images.get(model.id);
    if (known) this.#held.remove(known.model);
    this.#retired.forget(model.id);
    this.#images.set(model.id, { model, size, names: known?.names ?? new Set() });
    this.#takeNames(model.id, names, taggedAt);
  }

  /** Gives an image that is here further names. */
  name(image: Digest, names: readonly ImageName[], given: NameGiver = 'transfer'): void {
    const taggedAt = given === 'hand' ? this.#clock.now() : 0n;
    this.#db.transaction(() => this.#writeNames(image, names, taggedAt));
    this.#takeNames(image, names, taggedAt);
  }

  #writeNames(image: Digest, names: readonly ImageName[], now: bigint): void {
    for (const name of names) {
      this.#db.run(
        `INSERT INTO image_names (name, image, tagged_at) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET image = excluded.image, tagged_at =
           CASE WHEN image = excluded.image THEN max(tagged_at, excluded.tagged_at) ELSE excluded.tagged_at END`,
        name,
        image,
        now,
      );
    }
  }

  #takeNames(image: Digest, names: readonly ImageName[], taggedAt: bigint): void {
    for (const name of names) {
      const before = this.#names.get(name);
      if (before) this.#change(before.image, (entry) => entry.names.delete(name));
      // What was tagged by hand stays so when a pull brings the same.
      const kept = before?.image === image && before.taggedAt > taggedAt ? before.taggedAt : taggedAt;
      this.#names.set(name, { image, taggedAt: kept });
      this.#change(image, (entry) => entry.names.add(name));
    }
  }

  /** Takes names away, and the images that `drop` lists, in one transaction. */
  remove(names: readonly ImageName[], drop: readonly Digest[] = []): void {
    this.#db.transaction(() => {
      for (const name of names) this.#db.run('DELETE FROM image_names WHERE name = ?', name);
      for (const id of drop) {
        this.#db.run('DELETE FROM image_names WHERE image = ?', id);
        this.#db.run('DELETE FROM images WHERE id = ?', id);
        this.#retired.erase(id);
      }
    });
    for (const name of names) {
      const entry = this.#names.get(name);
      this.#names.delete(name);
      if (entry) this.#change(entry.image, (image) => image.names.delete(name));
    }
    for (const id of drop) {
      this.#leave(id);
      this.#retired.forget(id);
    }
  }

  #leave(id: Digest): void {
    const known = this.#images.get(id);
    if (!known) return;
    for (const name of known.names) this.#names.delete(name);
    this.#images.delete(id);
    this.#held.remove(known.model);
  }

  /** Puts an image that is here into the bin. */
  retire(id: Digest, batch: string): void {
    const entry = this.#images.get(id);
    if (!entry) return;
    const { model, size, names } = entry;
    const named = [...names].map((name) => [name, this.#names.get(name)?.taggedAt ?? 0n] as const);
    const retired = { model, size, names: new Map(named), at: this.#clock.now(), batch };
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM image_names WHERE image = ?', id);
      this.#retired.write(retired);
    });
    this.#retired.remember(retired);
    this.#leave(id);
  }

  /** Takes an image out of the bin, with those of its names that no other image has by now. */
  reinstate(id: Digest): readonly ImageName[] {
    const retired = this.#retired.find(id);
    if (!retired) return [];
    const names = [...retired.names].filter(([name]) => !this.#names.has(name));
    this.#db.transaction(() => {
      this.#retired.erase(id);
      for (const [name, taggedAt] of names) this.#writeNames(id, [name], taggedAt);
    });
    this.#held.add(retired.model);
    this.#retired.forget(id);
    this.#images.set(id, { model: retired.model, size: retired.size, names: new Set() });
    for (const [name, taggedAt] of names) this.#takeNames(id, [name], taggedAt);
    return names.map(([name]) => name);
  }

  retired(id: Digest): RetiredImage | undefined {
    return this.#retired.find(id);
  }

  allRetired(): Iterable<RetiredImage> {
    return this.#retired.values();
  }

  #change(id: Digest, change: (entry: ImageEntry) => void): void {
    const entry = this.#images.get(id);
    if (!entry) return;
    change(entry);
    delete entry.record;
  }

  byId(id: Digest): StoredImage | undefined {
    const entry = this.#images.get(id);
    return entry && { record: this.#recordOf(entry), model: entry.model };
  }

  /** Canonical names, sorted. */
  namesOf(id: Digest): readonly ImageName[] {
    return [...(this.#images.get(id)?.names ?? [])].sort();
  }

  imageOf(name: ImageName): Digest | undefined {
    return this.#names.get(name)?.image;
  }

  /** Canonical tag names of one repository (`docker.io/library/busybox`), sorted. */
  tagsOfRepository(repository: string): readonly ImageName[] {
    return [...this.#names.keys()]
      .filter((name) => name.startsWith(`${repository}:`) && !isDigestName(name))
      .filter((name) => canonicalName(parseReference(name)) === repository)
      .sort();
  }

  images(): readonly StoredImage[] {
    return [...this.#images.values()].map((entry) => ({
      record: this.#recordOf(entry),
      model: entry.model,
    }));
  }

  /** Whether an image needs the blob, be it in the bin. */
  holdsBlob(digest: Digest): boolean {
    return this.#held.hasBlob(digest) || this.#retired.held.hasBlob(digest);
  }

  /** The same for a layer. */
  holdsChain(id: Digest): boolean {
    return this.usesChain(id) || this.#retired.held.hasChain(id);
  }

  /** Whether an image needs the layer that is not in the bin. */
  usesChain(id: Digest): boolean {
    return this.#held.hasChain(id);
  }

  /** Blob of a layer with this diffID that some image here has; a compressed one where there is a choice. */
  layerOf(diffId: Digest): Descriptor | undefined {
    let found: Descriptor | undefined;
    for (const { model } of this.#images.values()) {
      const layer = model.layers[model.config.rootfs.diff_ids.indexOf(diffId)];
      if (layer && layer.digest !== diffId) return layer;
      found ??= layer;
    }
    return found;
  }

  /**
   * Docker's resolution: a whole id, or the digest of a manifest or index as stores of other engines have it for an id; a
   * name, then a unique prefix of an id. Throws invalidArgument for what is no
   * reference or an ambiguous prefix.
   */
  resolve(reference: string): { readonly id: Digest; readonly name: ImageName | undefined } | undefined {
    const whole = findImageId(reference);
    if (whole) {
      const id = this.#images.has(whole) ? whole : this.#ledToBy(whole);
      return id && { id, name: undefined };
    }
    const parsed = withDefaultTag(parseReference(reference));
    const name = nameOf(parsed);
    const image = this.#names.get(name)?.image;
    if (image) return { id: image, name };
    if (parsed.digest && this.#images.has(parsed.digest)) return { id: parsed.digest, name: undefined };
    const id = this.#findPrefix(reference);
    return id && { id, name: undefined };
  }

  /** The image that a manifest or an index stands for. */
  #ledToBy(digest: Digest): Digest | undefined {
    const models = [...this.#images.values()].map(({ model }) => model);
    const found =
      models.find(({ manifest }) => manifest.digest === digest) ??
      models.find(({ target }) => target.digest === digest);
    return found?.id;
  }

  #findPrefix(reference: string): Digest | undefined {
    const prefix = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(reference)?.[1];
    if (prefix === undefined) return undefined;
    const matches = [...this.#images.keys()].filter((id) => id.startsWith(`sha256:${prefix}`));
    if (matches.length > 1) {
      throw invalidArgument(`multiple images found with provided prefix: ${reference}`);
    }
    return matches[0];
  }

  /** Notes from which image one was committed. */
  adopt(id: Digest, parent: Digest): void {
    this.#parents.record(id, parent);
    this.#change(id, () => undefined);
  }

  /** Images that were committed on this one and are here. */
  childrenOf(id: Digest): readonly Digest[] {
    return this.#parents.childrenOf(id).filter((child) => this.#images.has(child));
  }

  #recordOf(entry: ImageEntry): ImageRecord {
    entry.record ??= { ...makeRecord(entry, this.#names), parent: this.#parents.of(entry.model.id) };
    return entry.record;
  }
}

function makeRecord({ model, size, names }: ImageEntry, all: ReadonlyMap<ImageName, NameEntry>): ImageRecord {
  const tags = [...names].filter((name) => !isDigestName(name)).sort();
  const times = tags.map((name) => all.get(name)?.taggedAt ?? 0n).filter((at) => at > 0n);
  return {
    id: model.id,
    target: model.target,
    manifest: model.manifest,
    config: model.config,
    chainId: model.chainIds.at(-1),
    tags: tags.map(familiar),
    digests: [...names].filter(isDigestName).sort().map(familiar),
    size,
    lastTaggedAt: times.reduce<bigint | undefined>((last, at) => (last && last > at ? last : at), undefined),
  };
}

/** The name under which a reference is kept; a digest outranks a tag. */
export const nameOf = (reference: Reference): ImageName =>
  canonicalString(reference.digest ? withDigest(reference, reference.digest) : withDefaultTag(reference));

/** The name that a new tag gets, `latest` by default. Throws invalidArgument in Docker's words. */
export function tagNameOf(text: string): ImageName {
  const reference = withDefaultTag(parseReference(text));
  if (reference.digest) throw invalidArgument('refusing to create a tag with a digest reference');
  if (reference.path === 'library/sha256') {
    throw invalidArgument('refusing to create an ambiguous tag using digest algorithm as name');
  }
  return nameOf(reference);
}

/** A kept name as people write it. */
export const familiar = (name: ImageName): string => familiarString(parseReference(name));

export const repositoryOf = (name: ImageName): string => canonicalName(trimmed(parseReference(name)));

export { isDigestName };

/** Docker's text, with the reference in the form it shows. */
export function noSuchImage(reference: string): Error {
  const id = findImageId(reference);
  return notFound(`No such image: ${id ?? familiarString(withDefaultTag(parseReference(reference)))}`);
}
