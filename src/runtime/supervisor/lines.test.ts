import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter, MAX_LINE_BYTES } from './lines.ts';

test('push() gives whole lines, however they come', () => {
  for (const size of [1, 2, 3, 7, 100]) {
    const splitter = new LineSplitter();
    const text = Buffer.from('one\n\ntwo é\nrest');
    const lines: string[] = [];
    for (let at = 0; at < text.length; at += size) lines.push(...splitter.push(text.subarray(at, at + size)));
    assert.deepEqual(lines, ['one', '', 'two é']);
    assert.deepEqual(splitter.push(Buffer.from('\n')), ['rest']);
  }
});

test('pushFirst() leaves what follows untouched', () => {
  const splitter = new LineSplitter();
  assert.equal(splitter.pushFirst(Buffer.from('{"a"')), undefined);
  assert.deepEqual(splitter.pushFirst(Buffer.from(':1}\nraw\nbytes')), {
    line: '{"a":1}',
    rest: Buffer.from('raw\nbytes'),
  });
});

test('push() refuses an endless line', () => {
  const splitter = new LineSplitter();
  const chunk = Buffer.alloc(MAX_LINE_BYTES / 2);
  splitter.push(chunk);
  splitter.push(chunk);
  assert.throws(() => splitter.push(Buffer.from('x')), RangeError);
});
