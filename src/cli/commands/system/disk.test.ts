import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeEngine } from '../../testing/fake-engine.ts';
import { run } from '../../testing/run-program.ts';

const now = Date.parse('2026-11-22T12:00:00Z');

test('gc, undo and lock say where another engine does not know them', async () => {
  await using engine = await startFakeEngine();
  const { host } = engine;
  for (const [args, what] of [
    [['system', 'gc'], 'collect garbage'],
    [['system', 'undo'], 'undo a prune'],
    [['system', 'undo', '--list'], 'undo a prune'],
    [['volume', 'lock', 'data'], 'lock volumes'],
  ] as const) {
    const { code, err } = await run(args, { host });
    assert.deepEqual([code, err], [1, `this engine cannot ${what}: that needs wharfd\n`]);
  }
});

test('gc --explain shows what goes, what would go next and what stays', async () => {
  await using engine = await startFakeEngine();
  const step = { Kind: 'image', Id: `sha256:${'a'.repeat(64)}`, Names: ['x@sha256:1'], Size: 1_500_000 };
  engine.answer('GET /system/gc', {
    json: {
      ...{ Total: 100e9, Free: 50e9, LowSpace: 10e9, HighSpace: 15e9, Wanted: 0 },
      Removed: [{ Kind: 'layers', Id: 'layers', Names: [], Size: 5000, Reason: 'no image needs them' }],
      SpaceReclaimed: 5000,
      Next: [{ ...step, LastUsedAt: '2026-11-20T12:00:00Z', Reason: 'untagged and unused image' }],
      Kept: [{ ...step, Names: ['web:1'], Reason: 'it has a tag' }],
    },
  });
  const { out } = await run(['system', 'gc', '--explain', '--free', '1k'], { host: engine.host, now });
  assert.equal(engine.requests.at(-1)?.query['free'], '1024');
  assert.deepEqual(
    out.split('\n').map((line) => line.replace(/ {2,}/g, ' | ').trim()),
    [
      '50GB of 100GB are free; below 10GB things are removed until 15GB are free.',
      '',
      'Would be removed now:',
      'KIND | ID | NAMES | SIZE | LAST USED | WHY',
      'layers | 5kB | no image needs them',
      '',
      'Would go next, in this order:',
      'KIND | ID | NAMES | SIZE | LAST USED | WHY',
      'image | aaaaaaaaaaaa | x@sha256:1 | 1.5MB | 2 days ago | untagged and unused image',
      '',
      'Stays:',
      'KIND | ID | NAMES | SIZE | LAST USED | WHY',
      'image | aaaaaaaaaaaa | web:1 | 1.5MB | it has a tag',
      '',
      'Total reclaimable space: 5kB',
      '',
    ],
  );
});

test('undo tells what came back, and fails for what did not', async () => {
  await using engine = await startFakeEngine();
  engine.answer('POST /system/undo', {
    json: {
      Restored: [
        { Kind: 'image', Id: `sha256:${'b'.repeat(64)}`, Names: ['x:1'] },
        { Kind: 'volume', Id: '0123456789ab', Names: [], Problem: 'data stays in the bin: why' },
      ],
    },
  });
  const result = await run(['system', 'undo'], { host: engine.host });
  assert.deepEqual(result, { code: 1, out: 'image bbbbbbbbbbbb x:1\n', err: 'data stays in the bin: why\n' });
});

test('prune says that things can be brought back; --now asks for the end of them', async () => {
  await using engine = await startFakeEngine();
  engine.answer('POST /volumes/prune', {
    json: { VolumesDeleted: ['data'], SpaceReclaimed: 0, Wharf: { Binned: true } },
  });
  const binned = await run(['volume', 'prune', '-f'], { host: engine.host });
  assert.match(binned.out, /Total reclaimed space: 0B\n$/);
  assert.match(binned.err, /wharf system undo brings them back, prune --now frees the space/);
  assert.equal(engine.requests.at(-1)?.query['now'], undefined);
  await run(['volume', 'prune', '-f', '--now'], { host: engine.host });
  assert.equal(engine.requests.at(-1)?.query['now'], '1');
});
