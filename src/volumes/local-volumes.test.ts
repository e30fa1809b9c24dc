import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { silentLogger, systemClock } from '#kernel';
import { Database } from '#metadata';
import { LocalVolumes } from './index.ts';

interface Bench {
  readonly root: string;
  readonly users: Set<string>;
  readonly events: string[];
  /** Started on the folders and records as they are. */
  readonly open: () => Promise<LocalVolumes>;
  readonly db: Database;
}

function bench(t: TestContext): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-volumes-'));
  const root = join(folder, 'volumes');
  const users = new Set<string>();
  const events: string[] = [];
  const made: Bench = {
    root,
    users,
    events,
    db: new Database(join(folder, 'db')),
    open: async () => {
      const volumes = new LocalVolumes({
        db: made.db,
        root,
        clock: systemClock,
        logger: silentLogger,
        publish: (action, { name }) => events.push(`${action} ${name}`),
        users: (name) => (users.has(name) ? ['c1'] : []),
        measure: (path) => Promise.resolve(existsSync(path) ? 4096 * readdirSync(path).length : 0),
      });
      await volumes.start();
      return volumes;
    },
  };
  t.after(() => {
    made.db[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  return made;
}

async function filled(volumes: LocalVolumes, name: string): Promise<void> {
  const { mountpoint } = await volumes.create({ name, labels: { of: name } });
  writeFileSync(join(mountpoint, 'file'), name);
}

const content = (volumes: LocalVolumes, name: string): string =>
  readFileSync(join(volumes.get(name).mountpoint, 'file'), 'utf8');

test('a locked volume is not removed by anybody, also after a restart', async (t) => {
  const { open, root } = bench(t);
  let volumes = await open();
  await filled(volumes, 'precious');
  await volumes.setLocked('precious', true);
  volumes = await open();
  assert.equal(volumes.get('precious').locked, true);
  const refused = {
    kind: 'conflict',
    message: 'remove precious: volume is locked: unlock it first, with: wharf volume unlock precious',
  };
  await assert.rejects(volumes.remove('precious', { force: true }), refused);
  await assert.rejects(volumes.retire('precious', 'b'), refused);
  await volumes.setLocked('precious', false);
  await volumes.remove('precious');
  assert.equal(existsSync(join(root, 'precious')), false);
  await assert.rejects(volumes.setLocked('precious', true), { kind: 'notFound' });
});

test('retire() and reinstate() keep the files and what is known of the volume', async (t) => {
  const { open, events } = bench(t);
  let volumes = await open();
  await filled(volumes, 'data');
  const before = volumes.get('data');
  const { id } = await volumes.retire('data', 'first');
  assert.equal(volumes.find('data'), undefined);
  assert.equal(await volumes.retiredUsage(id), 4096);
  volumes = await open();
  assert.deepEqual(
    volumes.retired().map(({ record, batch }) => [record, batch]),
    [[before, 'first']],
  );
  assert.deepEqual(await volumes.reinstate(id), before);
  assert.equal(content(volumes, 'data'), 'data');
  assert.deepEqual(volumes.retired(), []);
  assert.deepEqual(events, ['create data', 'destroy data', 'create data']);
  assert.deepEqual((await open()).list(), [before]);
});

test('reinstate() refuses a name in use, and takes another', async (t) => {
  const { open } = bench(t);
  const volumes = await open();
  await filled(volumes, 'data');
  const { id } = await volumes.retire('data', 'b');
  await volumes.create({ name: 'data' });
  await assert.rejects(volumes.reinstate(id), {
    kind: 'conflict',
    message: 'the name data is in use again: give the volume from the bin another name',
  });
  await assert.rejects(volumes.reinstate(id, '../x'), { kind: 'invalidArgument' });
  await volumes.reinstate(id, 'older');
  assert.equal(content(volumes, 'older'), 'data');
  assert.deepEqual(volumes.get('older').labels, { of: 'data' });
});

test('retire() refuses a volume in use; discard() leaves nothing', async (t) => {
  const { open, users, root, db } = bench(t);
  const volumes = await open();
  await filled(volumes, 'data');
  users.add('data');
  await assert.rejects(volumes.retire('data', 'b'), {
    kind: 'conflict',
    message: 'remove data: volume is in use - [c1]',
  });
  users.clear();
  const { id } = await volumes.retire('data', 'b');
  await volumes.discard(id);
  await assert.rejects(volumes.discard(id), { kind: 'notFound' });
  assert.deepEqual(readdirSync(root), []);
  assert.deepEqual(db.all('SELECT * FROM retired_volumes'), []);
});

test('a crash on the way into or out of the bin loses no file', async (t) => {
  const { open, root, db } = bench(t);
  let volumes = await open();
  await filled(volumes, 'data');
  const saved = `${root}-saved`;
  t.after(() => rmSync(saved, { recursive: true, force: true }));
  cpSync(root, saved, { recursive: true });
  const { id } = await volumes.retire('data', 'b');
  // The record is written, the folder was not moved yet.
  rmSync(root, { recursive: true });
  cpSync(saved, root, { recursive: true });
  volumes = await open();
  assert.deepEqual(readdirSync(root), [`.bin-${id}`]);
  // On the way out under another name the folder was moved, and the record was not written yet.
  db.run('UPDATE retired_volumes SET name = ? WHERE id = ?', 'other', id);
  rmSync(root, { recursive: true });
  cpSync(saved, root, { recursive: true });
  cpSync(join(saved, 'data'), join(root, 'other'), { recursive: true });
  volumes = await open();
  assert.deepEqual(readdirSync(root).sort(), [`.bin-${id}`, 'data']);
  await volumes.reinstate(id);
  assert.equal(content(volumes, 'other'), 'data');
});

test('start() removes what the bin has no record of', async (t) => {
  const { open, root, db } = bench(t);
  const volumes = await open();
  await filled(volumes, 'data');
  const { id } = await volumes.retire('data', 'b');
  db.run('DELETE FROM retired_volumes WHERE id = ?', id);
  await open();
  assert.deepEqual(readdirSync(root), []);
});
