import { text, type Database } from '#metadata';
import type { Digest } from '#oci';

/** Which image each committed one was made from. A parent may be gone; its layers are its children's too. */
export class ImageParents {
  readonly #db: Database;
  readonly #parents = new Map<Digest, Digest>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Reads what is on record. */
  restore(): void {
    for (const row of this.#db.all('SELECT id, parent FROM images WHERE parent IS NOT NULL')) {
      // Written by record() below.
      this.#parents.set(text(row, 'id') as Digest, text(row, 'parent') as Digest);
    }
  }

  of(id: Digest): Digest | undefined {
    return this.#parents.get(id);
  }

  childrenOf(id: Digest): readonly Digest[] {
    return [...this.#parents].filter(([, parent]) => parent === id).map(([child]) => child);
  }

  /** Within the transaction that writes the child's row. */
  record(id: Digest, parent: Digest): void {
    this.#db.run('UPDATE images SET parent = ? WHERE id = ?', parent, id);
    this.#parents.set(id, parent);
  }

  /** The image's row is gone. */
  forget(id: Digest): void {
    this.#parents.delete(id);
  }
}
