import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '#kernel';
import { Database } from '#metadata';
import { ImageIndex, noSuchImage } from './image-index.ts';
import { imageModel } from './testing/image-models.ts';

const name = (text: string): string => `docker.io/library/${text}`;

function openIndex(): { db: Database; index: ImageIndex } & Disposable {
  const db = new Database(':memory:');
  return { db, index: new ImageIndex(db, systemClock), [Symbol.dispose]: () => db[Symbol.dispose]() };
}

describe('resolve()', () => {
  const a = imageModel('a');
  const b = imageModel('b');
  const hex = a.id.slice('sha256:'.length);
  const cases: readonly [string, boolean][] = [
    ['x', true],
    ['x:latest', true],
    ['docker.io/library/x:latest', true],
    ['index.docker.io/x', true],
    [`x@${a.manifest.digest}`, true],
    [a.id, true],
    [hex, true],
    [hex.slice(0, 12), true],
    [`sha256:${hex.slice(0, 5)}`, true],
    ['x:other', false],
    ['y', false],
    [`x@${b.manifest.digest}`, false],
    ['0'.repeat(64), false],
  ];
  for (const [text, expected] of cases) {
    test(`resolve() ${expected ? 'finds' : 'does not find'} ${text.slice(0, 40)}`, () => {
      using bench = openIndex();
      bench.index.add(a, 1, [name('x:latest'), name(`x@${a.manifest.digest}`)]);
      bench.index.add(b, 1, []);
      assert.equal(bench.index.resolve(text)?.id, expected ? a.id : undefined);
    });
  }

  test('resolve() refuses a prefix that several ids have, and prefers a name to an id', () => {
    using bench = openIndex();
    const models = Array.from({ length: 20 }, (_, n) => imageModel(`image ${n}`));
    for (const model of models) bench.index.add(model, 1, []);
    const digit = models.map(({ id }) => id.charAt(7)).find((each, n, all) => all.indexOf(each) !== n);
    assert.ok(digit);
    assert.throws(() => bench.index.resolve(digit), /multiple images found with provided prefix/);
    const [first] = models;
    assert.ok(first);
    bench.index.name(first.id, [name(`${digit}:latest`)]);
    assert.equal(bench.index.resolve(digit)?.id, first.id);
  });

  for (const [text, pattern] of [
    ['BAD', /repository name \(library\/BAD\) must be lowercase/],
    [':x', /^Error.*invalid reference format|invalid reference format/],
    ['x@sha256:xyz', /invalid reference format/],
  ] as const) {
    test(`resolve() refuses ${text}`, () => {
      using bench = openIndex();
      assert.throws(() => bench.index.resolve(text), pattern);
    });
  }
});

test('name() moves a name from one image to another, in memory and on disk', () => {
  using bench = openIndex();
  const [a, b] = [imageModel('a'), imageModel('b')];
  bench.index.add(a, 1, [name('x:1')]);
  bench.index.add(b, 1, [name('x:1')]);
  assert.deepEqual(bench.index.byId(a.id)?.record.tags, []);
  assert.deepEqual(bench.index.byId(b.id)?.record.tags, ['x:1']);
  const again = new ImageIndex(bench.db, systemClock);
  for (const { id, size } of again.rows()) again.restore(id === a.id ? a : b, size);
  assert.deepEqual(again.byId(a.id)?.record.tags, []);
  assert.deepEqual(again.byId(b.id)?.record, bench.index.byId(b.id)?.record);
});

test('add() replaces an image and keeps its names', () => {
  using bench = openIndex();
  const model = imageModel('a');
  bench.index.add(model, 5, [name('x:1')]);
  const changed = { ...model, manifest: imageModel('other').manifest };
  bench.index.add(changed, 5, []);
  assert.deepEqual(bench.index.byId(model.id)?.record.tags, ['x:1']);
  assert.equal(bench.index.byId(model.id)?.record.manifest.digest, changed.manifest.digest);
  assert.equal(bench.index.rows()[0]?.manifest.digest, changed.manifest.digest);
});

test('records show familiar names, digests apart from tags', () => {
  using bench = openIndex();
  const model = imageModel('a');
  bench.index.add(model, 5, ['127.0.0.1:5000/z:1', name('x:1'), name(`x@${model.manifest.digest}`)]);
  const record = bench.index.byId(model.id)?.record;
  assert.ok(record);
  assert.deepEqual(record.tags, ['127.0.0.1:5000/z:1', 'x:1']);
  assert.deepEqual(record.digests, [`x@${model.manifest.digest}`]);
});

test("noSuchImage() shows a reference in Docker's form", () => {
  const id = 'a'.repeat(64);
  for (const [given, shown] of [
    ['nope', 'nope:latest'],
    ['docker.io/library/nope:1', 'nope:1'],
    [id, `sha256:${id}`],
    [`busy@sha256:${id}`, `busy@sha256:${id}`],
  ] as const) {
    assert.equal(noSuchImage(given).message, `No such image: ${shown}`);
  }
});
