import { DatabaseSync } from 'node:sqlite';
import type { StoredContents } from './tree.ts';

/** Contents of a file, and where in the store they are. */
export interface StoredFile {
  /** SHA-256, in hexadecimal. */
  readonly digest: string;
  /** bytes */
  readonly size: number;
  readonly stored: StoredContents;
}

/** Contents have no order, so that each of many may be on a page of its own: 32 MiB of them are held. */
const pragmas = `
  PRAGMA busy_timeout=10000; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;
  PRAGMA cache_size=-32768; PRAGMA mmap_size=1073741824;
`;

const tables = `
  CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS contents (
    digest BLOB PRIMARY KEY, file INTEGER NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL
  ) WITHOUT ROWID;
`;

/**
 * Which contents the store has, and which files of it count: files hold nothing before a transaction has named them.
 * Nothing is synced, since nothing outlives a boot; the death of the process loses no transaction.
 */
export class ContentIndex implements Disposable {
  readonly #db: DatabaseSync;

  /** Opens or creates it. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(pragmas + tables);
  }

  /** Answers where contents are, by their digests. */
  finder(): (digest: string) => StoredFile | undefined {
    const select = this.#db.prepare(
      'SELECT files.name AS file, offset, size FROM contents JOIN files ON files.id = file WHERE digest = ?',
    );
    return (digest) => {
      const row = select.get(Buffer.from(digest, 'hex'));
      if (!row) return undefined;
      const { file, offset, size } = row as { file: string; offset: number; size: number }; // the tables above
      return { digest, size, stored: { file, offset } };
    };
  }

  /** Names of the files that count. */
  files(): ReadonlySet<string> {
    return new Set(
      this.#db
        .prepare('SELECT name FROM files')
        .all()
        .map(({ name }) => String(name)),
    );
  }

  /** Adds files with what is in them: all or nothing. Of equal contents those that came last are known. */
  add(files: Iterable<string>, contents: Iterable<StoredFile>): void {
    const addFile = this.#db.prepare('INSERT INTO files (name) VALUES (?)');
    const addContents = this.#db.prepare('INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?)');
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const ids = new Map(Array.from(files, (name) => [name, addFile.run(name).lastInsertRowid]));
      for (const { digest, size, stored } of contents) {
        addContents.run(Buffer.from(digest, 'hex'), ids.get(stored.file) ?? null, stored.offset, size);
      }
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
