import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalContentStore } from '#content';
import { shortId, systemClock } from '#kernel';
import { Database, Leases } from '#metadata';
import type { Snapshotter } from '#snapshots';
import { Claims } from './claims.ts';
import { ImageIndex } from './image-index.ts';
import { ImageRemoval, type ImageUser } from './image-removal.ts';
import { imageModel } from './testing/image-models.ts';

const model = imageModel('a');
const id = model.id;
const hex = id.slice(7);
const short = shortId(id);
const digest = `x@${model.manifest.digest}`;
const container = 'c0ffee123456';

interface Case {
  readonly title: string;
  readonly names: readonly string[];
  readonly remove: string;
  readonly force?: boolean;
  readonly users?: readonly ImageUser[];
  /** What is answered, or the error. */
  readonly expected: readonly string[] | string;
}

const running: ImageUser = { containerId: `${container}99`, running: true };
const stopped: ImageUser = { containerId: `${container}99`, running: false };
const gone = [`D ${id}`];
const multiple = `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`;
const isRunning = `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ${container}`;

// Asked of the reference engine, case by case.
const cases: readonly Case[] = [
  {
    title: 'the last tag takes the image along',
    names: ['x:1'],
    remove: 'x:1',
    expected: ['U x:1', ...gone],
  },
  { title: 'one of several tags', names: ['x:1', 'x:2'], remove: 'x:1', expected: ['U x:1'] },
  {
    title: 'the last tag and its digest',
    names: ['x:1', digest],
    remove: 'x:1',
    expected: ['U x:1', `U ${digest}`, ...gone],
  },
  {
    title: "a repository's last tag takes its digests, others stay",
    names: ['x:1', digest, 'y:1'],
    remove: 'x:1',
    expected: ['U x:1', `U ${digest}`],
  },
  { title: 'a digest while tags remain', names: ['x:1', digest], remove: digest, expected: [`U ${digest}`] },
  { title: 'by id with one tag', names: ['x:1'], remove: hex, expected: ['U x:1', ...gone] },
  {
    title: 'by id with tag and digest of one repository',
    names: ['x:1', digest],
    remove: short,
    expected: ['U x:1', `U ${digest}`, ...gone],
  },
  { title: 'by id with two tags', names: ['x:1', 'x:2'], remove: hex, expected: multiple },
  { title: 'by id with two repositories', names: ['x:1', 'y:1'], remove: hex, expected: multiple },
  {
    title: 'by id with two tags, forced',
    names: ['x:1', 'y:1'],
    remove: hex,
    force: true,
    expected: ['U x:1', 'U y:1', ...gone],
  },
  {
    title: 'the only tag while a container runs',
    names: ['x:1'],
    remove: 'x:1',
    users: [running],
    expected: `conflict: unable to remove repository reference "x:1" (must force) - container ${container} is using its referenced image ${short}`,
  },
  {
    title: 'the only tag while a container runs, forced',
    names: ['x:1'],
    remove: 'x:1',
    force: true,
    users: [running],
    expected: ['U x:1'],
  },
  {
    title: 'one of two tags while a container runs',
    names: ['x:1', 'y:1'],
    remove: 'x:1',
    users: [running],
    expected: ['U x:1'],
  },
  { title: 'by id while a container runs', names: [], remove: hex, users: [running], expected: isRunning },
  {
    title: 'by id while a container runs, forced',
    names: ['x:1'],
    remove: hex,
    force: true,
    users: [running],
    expected: isRunning,
  },
  {
    title: 'by id while a stopped container has it',
    names: ['x:1'],
    remove: hex,
    users: [stopped],
    expected: `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container ${container}`,
  },
  {
    title: 'by id with two tags and a stopped container',
    names: ['x:1', 'x:2'],
    remove: hex,
    users: [stopped],
    expected: multiple,
  },
  {
    title: 'by id while a stopped container has it, forced',
    names: ['x:1', 'x:2'],
    remove: hex,
    force: true,
    users: [stopped],
    expected: ['U x:1', 'U x:2', ...gone],
  },
  { title: 'what is not there', names: ['x:1'], remove: 'nope', expected: 'No such image: nope:latest' },
];

describe('remove()', () => {
  for (const each of cases) {
    test(`remove() ${each.title}`, async () => {
      const root = mkdtempSync(join(tmpdir(), 'wharf-removal-'));
      try {
        using db = new Database(':memory:');
        const index = new ImageIndex(db, systemClock);
        const content = createLocalContentStore({ root });
        await content.start();
        const published: string[] = [];
        // Nothing is unpacked here: layers() of a real snapshotter is not asked for.
        const snapshots = { find: () => undefined } as unknown as Snapshotter;
        const removal = new ImageRemoval({
          index,
          claims: new Claims(new Leases(db, systemClock), index, content, snapshots),
          events: { publish: (_type, action) => published.push(action) },
          users: () => each.users ?? [],
        });
        index.add(
          model,
          1,
          each.names.map((name) => `docker.io/library/${name}`),
        );
        const act = removal.remove(each.remove, each.force ?? false);
        if (typeof each.expected === 'string') {
          await assert.rejects(act, { message: each.expected });
          assert.deepEqual(published, []);
          assert.equal(index.namesOf(id).length, each.names.length);
          return;
        }
        const removed = (await act).map(({ Untagged, Deleted }) =>
          Untagged ? `U ${Untagged}` : `D ${String(Deleted)}`,
        );
        assert.deepEqual(removed, each.expected);
        assert.deepEqual(
          published,
          each.expected.map((line) => (line.startsWith('U') ? 'untag' : 'delete')),
        );
        assert.equal(index.byId(id) === undefined, each.expected.includes(`D ${id}`));
      } finally {
        rmSync(root, { recursive: true });
      }
    });
  }
});
