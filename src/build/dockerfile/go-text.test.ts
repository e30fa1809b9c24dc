import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationText, parseBoolean, parseDuration, quoted, quotedNumber } from './go-text.ts';
import { parseSize } from './run-mount.ts';

test('parseDuration() and durationText() read and print what Go does', () => {
  const cases: Readonly<Record<string, string>> = {
    '0': '0s',
    '1.5h': '1h30m0s',
    '90s': '1m30s',
    '-2ms': '-2ms',
    '1500us': '1.5ms',
    '.5s': '500ms',
    '1h2m3.4s': '1h2m3.4s',
    '7ns': '7ns',
    '1.000000001s': '1.000000001s',
  };
  for (const [text, shown] of Object.entries(cases)) {
    const read = parseDuration(text);
    assert('nanoseconds' in read, text);
    assert.equal(durationText(read.nanoseconds), shown);
  }
  assert.deepEqual(parseDuration('5'), { problem: 'time: missing unit in duration "5"' });
  assert.deepEqual(parseDuration('5x'), { problem: 'time: unknown unit "x" in duration "5x"' });
  assert.deepEqual(parseDuration('.'), { problem: 'time: invalid duration "."' });
});

test('quoted() escapes as Go does', () => {
  assert.equal(quoted('a"b\\\n\x00\u200b😀é'), '"a\\"b\\\\\\n\\x00\\u200b😀é"');
  assert.equal(quotedNumber(3), "'\\x03'");
  assert.equal(quotedNumber(39), "'\\''");
});

test('parseBoolean() and parseSize() refuse what is none', () => {
  assert.deepEqual(['T', 'false', 'yes'].map(parseBoolean), [true, false, undefined]);
  assert.deepEqual(['64m', '1.5GiB', '100', 'x'].map(parseSize), [67108864, 1610612736, 100, undefined]);
});
