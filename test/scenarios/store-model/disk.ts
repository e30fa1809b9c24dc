import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

interface Document {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

/** Every blob of the store by its digest; asserts that each is what its name says. */
function blobsIn(root: string): Map<string, Buffer> {
  const blobs = new Map<string, Buffer>();
  for (const algorithm of readdirSync(join(root, 'content/blobs'))) {
    for (const hex of readdirSync(join(root, 'content/blobs', algorithm))) {
      const data = readFileSync(join(root, 'content/blobs', algorithm, hex));
      assert.equal(createHash(algorithm).update(data).digest('hex'), hex, `blob ${algorithm}:${hex}`);
      blobs.set(`${algorithm}:${hex}`, data);
    }
  }
  return blobs;
}

/** The blobs that a document leads to, with itself; manifests of other platforms need not be here. */
function reach(digest: string, blobs: ReadonlyMap<string, Buffer>, into: Set<string>, isNeeded = true): void {
  const data = blobs.get(digest);
  assert.ok(data !== undefined || !isNeeded, `blob ${digest} is missing`);
  if (!data) return;
  into.add(digest);
  const { config, layers = [], manifests = [] } = JSON.parse(data.toString()) as Document;
  for (const each of [...(config ? [config] : []), ...layers]) {
    assert.ok(blobs.has(each.digest), `blob ${each.digest} of ${digest} is missing`);
    into.add(each.digest);
  }
  for (const each of manifests) reach(each.digest, blobs, into, false);
}

function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    const text = `${below ?? ''} ${diffId}`;
    chain.push(below === undefined ? diffId : `sha256:${createHash('sha256').update(text).digest('hex')}`);
  }
  return chain;
}

/**
 * Asserts that all that the records name is on the disk and whole, and nothing else is: but for what leases of
 * interrupted operations hold. To be asked while the daemon is idle.
 */
export function assertTidy(root: string): void {
  using db = new DatabaseSync(join(root, 'wharf.db'), { readOnly: true });
  const column = (sql: string): string[] =>
    db
      .prepare(sql)
      .all()
      .map((row) => String(Object.values(row)[0]));
  const blobs = blobsIn(root);
  const held = new Set(column("SELECT key FROM lease_items WHERE kind = 'blob'"));
  const chains = new Set(column("SELECT key FROM lease_items WHERE kind = 'snapshot'"));
  for (const row of db.prepare('SELECT id, target, manifest FROM images').all()) {
    for (const key of ['target', 'manifest']) {
      reach((JSON.parse(String(row[key])) as { digest: string }).digest, blobs, held);
    }
    const config = blobs.get(String(row['id']));
    assert.ok(config, `configuration ${String(row['id'])} is missing`);
    const { rootfs } = JSON.parse(config.toString()) as { rootfs: { diff_ids: string[] } };
    for (const chain of chainIds(rootfs.diff_ids)) chains.add(chain);
  }
  const extra = [...blobs.keys()].filter((digest) => !held.has(digest));
  assert.deepEqual(extra, [], 'blobs that nothing needs');
  const committed = column("SELECT key FROM snapshots WHERE kind = 'committed'");
  assert.deepEqual(
    committed.filter((key) => !chains.has(key)),
    [],
    'snapshots that nothing needs',
  );
  const rows = column('SELECT folder FROM snapshots').sort();
  const folders = readdirSync(join(root, 'snapshots')).filter((name) => name !== 'trash');
  assert.deepEqual(folders.sort(), rows, 'folders of snapshots');
}
