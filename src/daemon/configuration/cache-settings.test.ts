import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pruneUnused } from '#build';
import { cacheSettings } from './cache-settings.ts';
import { parseFile } from './parse-settings.ts';
import { SettingsReader } from './settings-reader.ts';

const read = (gc: object): ReturnType<typeof cacheSettings> =>
  cacheSettings(new SettingsReader(parseFile('daemon.json', JSON.stringify({ builder: { gc } }))));

test('cacheSettings() read builder.gc, in its older words too', () => {
  const nothing = { reservedSpace: 0, maxUsedSpace: 0, minFreeSpace: 0 };
  assert.deepEqual(cacheSettings(new SettingsReader({})), { isEnabled: true, policy: undefined, ...nothing });
  assert.equal(read({ enabled: false }).isEnabled, false);
  assert.equal(read({ enabled: true, defaultKeepStorage: '20GB' }).reservedSpace, 20 * 1024 ** 3);
  const sizes = read({ defaultReservedSpace: '1k', DefaultMaxUsedSpace: '2KB', defaultMinFreeSpace: '3' });
  assert.deepEqual([sizes.reservedSpace, sizes.maxUsedSpace, sizes.minFreeSpace], [1024, 2048, 3]);
});

test('cacheSettings() read policies with their filters', () => {
  const { policy } = read({
    policy: [
      { keepStorage: '512MB', filter: ['unused-for=168h', 'type=source.local'] },
      { filter: { 'unused-for': { '24h': true } }, maxUsedSpace: '1GB' },
      { reservedSpace: '5GB', all: true },
    ],
  });
  const hour = 3_600_000_000_000n;
  assert.deepEqual(policy, [
    {
      ...pruneUnused,
      filters: ['type==source.local'],
      keepDuration: 168n * hour,
      reservedSpace: 512 * 1024 ** 2,
    },
    { ...pruneUnused, filters: [''], keepDuration: 24n * hour, maxUsedSpace: 1024 ** 3 },
    { ...pruneUnused, filters: [''], reservedSpace: 5 * 1024 ** 3, all: true },
  ]);
});

test('cacheSettings() refuse what they do not know', () => {
  for (const gc of [
    { enabled: 'maybe' },
    { keep: '1' },
    { defaultKeepStorage: 'much' },
    { policy: {} },
    { policy: [{ filter: ['size=1'] }] },
    { policy: [{ filter: ['until=soon'] }] },
    { policy: [{ keep: 1 }] },
  ]) {
    assert.throws(() => read(gc), /invalid builder gc/, JSON.stringify(gc));
  }
});
