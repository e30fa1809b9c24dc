import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDuration, formatDuration, parseDuration } from './duration.ts';
import { encodeJson, indentJson } from './json.ts';
import { compareNatural } from './natural.ts';
import { quote } from './quote.ts';
import { tabulate } from './tabwriter.ts';
import { timestamp } from './timestamp.ts';
import { binarySize, decimalSize, ellipsis, parseBinarySize, spanInWords } from './units.ts';

test('tabulate() aligns blocks of neighbouring lines', () => {
  assert.equal(
    tabulate('A\tB\tC\nlong cell here\tx\tlast\n'),
    'A                B         C\nlong cell here   x         last\n',
  );
  assert.equal(tabulate('a\tb\nplain\nlonger-than-ten\tc\n'), 'a         b\nplain\nlonger-than-ten   c\n');
  assert.equal(tabulate('名前\tx\nabc\ty\n', { minWidth: 4, padding: 1 }), '名前 x\nabc  y\n');
  assert.equal(tabulate(''), '');
});

const sizes: readonly (readonly [number, number, string])[] = [
  [0, 4, '0B'],
  [999, 3, '999B'],
  [1000, 3, '1kB'],
  [1982000, 3, '1.98MB'],
  [1982000, 4, '1.982MB'],
  [999999, 3, '1e+03kB'],
  [173256789, 3, '173MB'],
  [2.5e9, 3, '2.5GB'],
];

test('decimalSize() and binarySize() print what go-units prints', () => {
  for (const [bytes, digits, text] of sizes) assert.equal(decimalSize(bytes, digits), text);
  assert.equal(binarySize(25276944384), '23.54GiB');
  assert.equal(binarySize(332 * 1024), '332KiB');
});

test('parseBinarySize() reads suffixes and refuses the rest', () => {
  const good = {
    '10': 10,
    '1k': 1024,
    '1.5g': 1610612736,
    '64MiB': 67108864,
    '2 GB': 2147483648,
    '1tb': 1024 ** 4,
  };
  for (const [text, bytes] of Object.entries(good)) assert.equal(parseBinarySize(text), bytes);
  for (const text of ['', 'x', '-1', '1kk', '1.2.3', '0x10']) {
    assert.throws(() => parseBinarySize(text), new Error(`invalid size: '${text}'`));
  }
});

const spans: readonly (readonly [number, string])[] = [
  [0.5, 'Less than a second'],
  [1, '1 second'],
  [59, '59 seconds'],
  [60, 'About a minute'],
  [119, 'About a minute'],
  [120, '2 minutes'],
  [3600, 'About an hour'],
  [7200, '2 hours'],
  [47 * 3600, '47 hours'],
  [48 * 3600, '2 days'],
  [14 * 86400, '2 weeks'],
  [60 * 86400, '2 months'],
  [730 * 86400, '2 years'],
];

test('spanInWords() prints what go-units prints', () => {
  for (const [seconds, text] of spans) assert.equal(spanInWords(seconds * 1000), text);
});

const durations: readonly (readonly [string, bigint, string])[] = [
  ['1h30m', 5_400_000_000_000n, '1h30m0s'],
  ['1.5s', 1_500_000_000n, '1.5s'],
  ['-250ms', -250_000_000n, '-250ms'],
  ['0', 0n, '0s'],
  ['1us', 1000n, '1µs'],
  ['.5m', 30_000_000_000n, '30s'],
  ['1ns', 1n, '1ns'],
];

test('parseDuration() and formatDuration() follow Go', () => {
  for (const [text, nanos, shown] of durations) {
    assert.equal(parseDuration(text), nanos);
    assert.equal(formatDuration(nanos), shown);
  }
  assert.throws(() => parseDuration('5'), new Error('time: missing unit in duration "5"'));
  assert.throws(() => parseDuration('5x'), new Error('time: unknown unit "x" in duration "5x"'));
  assert.throws(() => parseDuration('abc'), new Error('time: invalid duration "abc"'));
  assert.equal(findDuration('2013-01-02'), undefined);
});

test('timestamp() takes times, spans and seconds', () => {
  const now = Date.parse('2026-11-22T00:00:00Z');
  assert.equal(timestamp('1h', now), '1795302000.000000000');
  assert.equal(timestamp('1136073600.000000001', now), '1136073600.000000001');
  assert.equal(timestamp('2013-01-02T13:23:37.5Z', now), '1357133017.500000000');
  assert.equal(timestamp('2013-01-02T13:23+02:00', now), '1357125780.000000000');
  assert.equal(timestamp('', now), undefined);
  assert.throws(
    () => timestamp('foo', now, 'since'),
    /invalid value for "since": failed to parse value as time or duration: "foo"/,
  );
});

test('quote() writes Go string literals', () => {
  assert.equal(quote('a "b" \\ \n\t\u0001\u007f é \u200b'), '"a \\"b\\" \\\\ \\n\\t\\x01\\x7f é \\u200b"');
});

test('ellipsis() counts wide characters twice', () => {
  assert.equal(ellipsis('echo 日本語日本語日本語', 20), 'echo 日本語日本語日…');
  assert.equal(ellipsis('short', 20), 'short');
  assert.equal(ellipsis('exactly-twenty-chars', 20), 'exactly-twenty-chars');
});

test('indentJson() keeps numbers and escapes as they are', () => {
  assert.equal(
    indentJson('[{"a":9007199254740993,"b":{},"c":[],"d":[1,"x\\u003c\\"]"]}]'),
    '[\n    {\n        "a": 9007199254740993,\n        "b": {},\n        "c": [],\n        "d": [\n            1,\n            "x\\u003c\\"]"\n        ]\n    }\n]',
  );
});

test('encodeJson() escapes as json.Marshal where asked', () => {
  assert.equal(encodeJson({ a: '<&>\u2028' }), '{"a":"<&>\\u2028"}');
  assert.equal(encodeJson('<&>', { html: true }), '"\\u003c\\u0026\\u003e"');
});

test('compareNatural() orders numbers in names', () => {
  assert.deepEqual(['a10', 'a2', '[::]:80', '0.0.0.0:80', 'b'].sort(compareNatural), [
    '0.0.0.0:80',
    '[::]:80',
    'a2',
    'a10',
    'b',
  ]);
});
