import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLogger, type Logger } from '#kernel';
import { digestOf } from '#oci';
import type { RetentionRule } from '../retention/rules.ts';
import { Bench, image } from '../testing/bench.ts';
import { HousekeepingRounds } from './housekeeping.ts';

const newest = (last: number): RetentionRule => ({ repositories: ['**'], tags: ['*'], keep: { last } });

test('rules are applied and garbage is collected by the clock, and the log tells why', async () => {
  await using bench = await Bench.start({ retention: [newest(1)] });
  const digest = await bench.pushImage('app', 'old', 'old layer');
  await bench.pushImage('app', 'new', 'new layer');
  const told: object[] = [];
  const logger: Logger = { ...silentLogger, info: (fields) => void told.push(fields) };
  const settings = { intervalMs: 5, collection: { graceMs: 0, untagged: false } };
  await using _rounds = new HousekeepingRounds(bench.server, settings, logger);
  const end = Date.now() + 10_000;
  while ((await bench.ask('HEAD', `/v2/app/blobs/${digestOf('old layer')}`)).status === 200) {
    assert.ok(Date.now() < end, 'nothing was collected');
    await delay(5);
  }
  assert.deepEqual(told[0], {
    repository: 'app',
    tags: [{ tag: 'old', why: 'older than the newest 1' }],
    manifests: [{ digest, why: 'its last tag goes' }],
  });
  assert.equal((await bench.ask('GET', '/v2/app/manifests/new')).status, 200);
});

test('what stays is whole, whatever is pushed while rules are applied and garbage is collected', async () => {
  await using bench = await Bench.start({ retention: [newest(2)] });
  const settings = { intervalMs: 0, collection: { graceMs: 60_000, untagged: true } };
  await using rounds = new HousekeepingRounds(bench.server, settings, silentLogger);
  const options = {
    dryRun: false,
    repositories: [],
    retentionOnly: false,
    graceMs: undefined,
    untagged: undefined,
  };
  const pushing = Promise.all(
    Array.from({ length: 4 }, async (_, client) => {
      for (let number = 0; number < 8; number += 1) {
        const layer = `layer ${(client + number) % 5}`;
        await bench.push('app', '{}');
        await bench.push('app', layer);
        const answer = await bench.pushManifest('app', `c${client}-${number}`, image(layer));
        assert.equal(answer.status, 201, await answer.text());
      }
    }),
  );
  let isPushing = true;
  const ended = pushing.finally(() => (isPushing = false));
  while (isPushing) await rounds.run(options);
  await ended;
  await rounds.run({ ...options, graceMs: 0 });
  const { tags } = (await (await bench.ask('GET', '/v2/app/tags/list')).json()) as {
    tags: readonly string[];
  };
  assert.equal(tags.length, 2);
  for (const tag of tags) {
    const manifest = (await (await bench.ask('GET', `/v2/app/manifests/${tag}`)).json()) as {
      layers: readonly { digest: string }[];
    };
    for (const { digest } of manifest.layers) {
      const blob = await bench.ask('GET', `/v2/app/blobs/${digest}`);
      assert.equal(digestOf(await blob.text()), digest);
    }
  }
});
