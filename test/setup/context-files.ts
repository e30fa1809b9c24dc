import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Files of build contexts that no transfer has completed, by their names in the store. */
export async function arrivingFiles(dataRoot: string): Promise<readonly string[]> {
  const root = join(dataRoot, 'build/contexts');
  const found = existsSync(join(root, 'files')) ? await readdir(join(root, 'files')) : [];
  const known = completed(join(root, 'contents.db'));
  return found.filter((name) => !known.has(name));
}

function completed(index: string): ReadonlySet<string> {
  if (!existsSync(index)) return new Set();
  const db = new DatabaseSync(index, { readOnly: true });
  try {
    const rows = db.prepare('SELECT name FROM files').all();
    return new Set(rows.map(({ name }) => String(name)));
  } finally {
    db.close();
  }
}
