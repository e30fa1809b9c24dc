import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfiguration } from './configuration.ts';
import { parseFile, parseFlags } from './parse-settings.ts';

const load = (...args: string[]): ReturnType<typeof loadConfiguration>['disk'] =>
  loadConfiguration(parseFlags([...args, '--config-file', '/dev/null'])).disk;

test('the collector and the bin have defaults, and flags that change them', () => {
  assert.deepEqual(load(), {
    automatic: true,
    low: { percent: 10, most: 20e9 },
    high: { percent: 15, most: 30e9 },
    interval: 60_000,
    minimumAge: 600_000_000_000n,
    tagged: false,
    taggedPatterns: [],
    grace: 259_200_000_000_000n,
  });
  const given = load(
    ...['--gc=false', '--gc-low-space', '5%', '--gc-high-space', '50GB', '--gc-interval', '1h30m'],
    ...['--gc-min-age', '0', '--gc-tagged', '--gc-tagged-image', 'ci/*', '--gc-tagged-image', 'tmp:*'],
    ...['--bin-grace', '0'],
  );
  assert.deepEqual(given, {
    automatic: false,
    low: { percent: 5 },
    high: { bytes: 50e9 },
    interval: 5_400_000,
    minimumAge: 0n,
    tagged: true,
    taggedPatterns: ['ci/*', 'tmp:*'],
    grace: 0n,
  });
  assert.throws(() => load('--bin-grace', '3 days'), /invalid bin-grace "3 days": use for example 72h/);
  assert.throws(() => load('--gc-low-space', 'much'), /invalid amount of disk space "much"/);
});

test('in daemon.json the collector has an object of its own', () => {
  const gc = { enabled: false, 'low-space': '1GB', tagged: true, 'tagged-images': ['ci/*'] };
  const parsed = parseFile('/x.json', JSON.stringify({ 'bin-grace': '1h', gc }));
  assert.deepEqual(parsed, {
    binGrace: '1h',
    gc: false,
    gcLowSpace: '1GB',
    gcTagged: true,
    gcTaggedImages: ['ci/*'],
  });
});
