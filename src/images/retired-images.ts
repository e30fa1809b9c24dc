import { integer, text, type Database } from '#metadata';
import type { Digest } from '#oci';
import { HeldByImages } from './held-by-images.ts';
import type { ImageModel } from './stored-image.ts';

/** An image in the bin: it has no names and cannot be used, and what it needs stays. */
export interface RetiredImage {
  readonly model: ImageModel;
  readonly size: number;
  /** What it was called, canonically, and when somebody tagged it so. */
  readonly names: ReadonlyMap<string, bigint>;
  /** Nanoseconds since the epoch. */
  readonly at: bigint;
  /** What was retired together has one batch. */
  readonly batch: string;
}

/** The table `retired_images`, held in memory. Statements run in the caller's transaction; memory follows after it. */
export class RetiredImages {
  readonly #db: Database;
  readonly #images = new Map<Digest, RetiredImage>();
  readonly held = new HeldByImages();

  constructor(db: Database) {
    this.#db = db;
  }

  find(id: Digest): RetiredImage | undefined {
    return this.#images.get(id);
  }

  values(): Iterable<RetiredImage> {
    return this.#images.values();
  }

  /** Takes the row of an image into memory; false where it has none: the image is not in the bin. */
  restore(model: ImageModel, size: number): boolean {
    const row = this.#db.find('SELECT * FROM retired_images WHERE image = ?', model.id);
    if (!row) return false;
    // Written by write() alone.
    const written = JSON.parse(text(row, 'names')) as Record<string, string>;
    const names = new Map(Object.entries(written).map(([name, at]) => [name, BigInt(at)]));
    this.remember({ model, size, names, at: integer(row, 'retired_at'), batch: text(row, 'batch') });
    return true;
  }

  write({ model, names, at, batch }: RetiredImage): void {
    this.#db.run(
      'INSERT OR REPLACE INTO retired_images (image, names, retired_at, batch) VALUES (?, ?, ?, ?)',
      model.id,
      JSON.stringify(Object.fromEntries([...names].map(([name, taggedAt]) => [name, String(taggedAt)]))),
      at,
      batch,
    );
  }

  erase(id: Digest): void {
    this.#db.run('DELETE FROM retired_images WHERE image = ?', id);
  }

  remember(image: RetiredImage): void {
    this.#images.set(image.model.id, image);
    this.held.add(image.model);
  }

  forget(id: Digest): void {
    const image = this.#images.get(id);
    if (image && this.#images.delete(id)) this.held.remove(image.model);
  }
}
