import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Filters } from './filters.ts';

test('parse() reads both wire forms', () => {
  for (const text of ['{"label":{"a=b":true,"c":true}}', '{"label":["a=b","c"]}']) {
    assert.deepEqual(Filters.parse(text).all('label'), ['a=b', 'c']);
  }
  assert.equal(Filters.parse('').has('label'), false);
  assert.equal(Filters.parse('null').has('label'), false);
});

test('labels() asks for every label, with or without its value', () => {
  const labels = { a: '1', b: '' };
  for (const [filter, passes] of [
    [{ label: ['a'] }, true],
    [{ label: ['a=1', 'b'] }, true],
    [{ label: ['a=2'] }, false],
    [{ label: ['a=1', 'c'] }, false],
    [{ label: ['b='] }, true],
    [{ label: ['constructor'] }, false],
    [{ 'label!': ['c'] }, true],
    [{ 'label!': ['a=1'] }, false],
  ] as const) {
    assert.equal(Filters.parse(JSON.stringify(filter)).labels(labels), passes, JSON.stringify(filter));
  }
});

test('pattern() takes values as they are and as regular expressions', () => {
  const passes = (value: string, ...fields: string[]): boolean =>
    Filters.parse(JSON.stringify({ name: [value] })).pattern('name', ...fields);
  assert.ok(passes('we', 'web'));
  assert.ok(passes('^/web$', 'web', '/web'));
  assert.ok(!passes('^/eb$', 'web', '/web'));
  assert.ok(!passes('[', 'web'));
  assert.ok(passes('[', '['));
});
