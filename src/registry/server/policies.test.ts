import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { systemClock, type Clock } from '#kernel';
import { digestOf } from '#oci';
import type { QuotaRule } from './quotas.ts';
import type { RetentionRule } from './retention/rules.ts';
import { Bench, codeOf, image } from './testing/bench.ts';

/** A clock that is set forward. */
function laterClock(): Clock & { days: number } {
  const clock = {
    days: 0,
    now: () => systemClock.now() + BigInt(clock.days) * 86_400_000_000_000n,
  };
  return clock;
}

const newest = (last: number, repositories = '**'): RetentionRule => ({
  repositories: [repositories],
  tags: ['*'],
  keep: { last },
});
const run = { dryRun: false, graceMs: 0, repositories: [] };

test('retain() removes tags and their manifests while the registry serves, and a dry run says the same', async () => {
  await using bench = await Bench.start({
    retention: [newest(1, 'app')],
    immutableTags: ['app:v*'],
    protectedTags: ['app:stable'],
  });
  const digests = new Map<string, string>();
  for (const tag of ['v1', 'stable', 'one', 'two', 'three']) {
    digests.set(tag, await bench.pushImage('app', tag, `layer of ${tag}`));
  }
  await bench.pushImage('other', 'one', 'layer');
  const dry = await bench.server.retain({ ...run, dryRun: true });
  const expected = ['one', 'two'];
  const gone = dry.flatMap(({ tags }) => tags.filter(({ kept }) => !kept).map(({ tag }) => tag)).sort();
  assert.deepEqual(gone, expected);
  assert.deepEqual(
    dry.flatMap(({ tags }) => tags.filter(({ tag }) => ['v1', 'stable'].includes(tag)).map(({ why }) => why)),
    ['protected', 'immutable'],
  );
  const foreseen = bench.server.rehearse({ graceMs: 0, untagged: false }, dry);
  assert.equal((await bench.ask('HEAD', '/v2/app/manifests/one')).status, 200);
  assert.deepEqual(await bench.server.retain({ ...run, repositories: ['other'] }), []);
  await bench.server.retain(run);
  for (const tag of digests.keys()) {
    const status = expected.includes(tag) ? 404 : 200;
    assert.equal((await bench.ask('HEAD', `/v2/app/manifests/${tag}`)).status, status, tag);
    const byDigest = await bench.ask('HEAD', `/v2/app/manifests/${digests.get(tag) ?? ''}`);
    assert.equal(byDigest.status, status, tag);
  }
  const collected = await bench.server.collect({ graceMs: 0, untagged: false });
  assert.equal(collected.blobs, 4);
  assert.deepEqual([foreseen.blobs, foreseen.bytes], [collected.blobs, collected.bytes]);
});

test('retain() counts a pull as use', async () => {
  const clock = laterClock();
  const keep = { pulledWithin: 10 * 86_400_000, pushedWithin: 10 * 86_400_000 };
  await using bench = await Bench.start({ clock, retention: [{ ...newest(0), keep }] });
  for (const tag of ['used', 'unused']) await bench.pushImage('app', tag, tag);
  clock.days = 8;
  await bench.ask('HEAD', '/v2/app/manifests/used');
  clock.days = 15;
  await bench.server.retain(run);
  assert.deepEqual(await (await bench.ask('GET', '/v2/app/tags/list')).json(), {
    name: 'app',
    tags: ['used'],
  });
});

test('an immutable tag keeps its manifest from being deleted by digest', async () => {
  await using bench = await Bench.start({ immutableTags: ['app:v*'] });
  const digest = await bench.pushImage('app', 'v1', 'layer');
  const answer = await bench.ask('DELETE', `/v2/app/manifests/${digest}`);
  assert.deepEqual([answer.status, await codeOf(answer)], [403, 'DENIED']);
});

const quota = (size: number): readonly QuotaRule[] => [{ repositories: ['small/**'], size }];

test('a quota refuses what does not fit, names used and limit, and is freed by a deletion', async () => {
  await using bench = await Bench.start({ quotas: quota(2_000) });
  const layer = 'x'.repeat(1_000);
  const digest = await bench.pushImage('small/app', 'v1', layer);
  await bench.pushImage('small/app', 'v2', layer);
  const upload = (body: string): Promise<Response> =>
    bench.ask('POST', `/v2/small/app/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`, body);
  const answer = await upload('y'.repeat(1_000));
  assert.equal(answer.status, 403);
  const { errors } = (await answer.json()) as {
    errors: readonly [{ code: string; message: string; detail: object }];
  };
  assert.equal(errors[0].code, 'DENIED');
  assert.match(
    errors[0].message,
    /quota of small\/app exceeded: 1\.\d+kB of 2kB are used, and this needs 1kB more/,
  );
  assert.deepEqual(Object.keys(errors[0].detail), ['repository', 'used', 'limit', 'needed']);
  // Without a length, the end decides.
  const place = (await bench.ask('POST', '/v2/small/app/blobs/uploads/')).headers.get('location') ?? '';
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from('z'.repeat(1_000)));
      controller.close();
    },
  });
  const streamed = await fetch(bench.base + place, { method: 'PATCH', body: stream, duplex: 'half' });
  assert.equal(streamed.status, 202);
  assert.equal((await bench.ask('PUT', `${place}?digest=${digestOf('z'.repeat(1_000))}`)).status, 403);
  assert.equal((await bench.ask('POST', '/v2/big/blobs/uploads/?digest=x', 'y')).status, 400);
  // Elsewhere there is room, but nothing is mounted into a full repository.
  const big = await bench.push('big', 'b'.repeat(1_000));
  assert.equal((await bench.ask('POST', `/v2/small/app/blobs/uploads/?mount=${big}&from=big`)).status, 403);
  const before = bench.server.usage().find(({ name }) => name === 'small/app');
  assert.equal(before?.quota, 2_000);
  assert.equal((await bench.ask('DELETE', `/v2/small/app/manifests/${digest}`)).status, 202);
  assert.equal(
    bench.server.usage().find(({ name }) => name === 'small/app'),
    undefined,
  );
  assert.equal((await bench.ask('POST', `/v2/small/app/blobs/uploads/?mount=${big}&from=big`)).status, 201);
  // What is on its way out is not taken back for nothing.
  const again = await bench.pushManifest('small/app', 'v1', image(layer));
  assert.deepEqual([again.status, await codeOf(again)], [403, 'DENIED']);
});

test('uploads at the same time do not exceed a quota together', async () => {
  await using bench = await Bench.start({ quotas: quota(1_000_000) });
  const bodies = Array.from({ length: 8 }, () => randomBytes(300_000));
  const statuses = await Promise.all(
    bodies.map(async (body) => {
      return (await bench.ask('POST', `/v2/small/a/blobs/uploads/?digest=${digestOf(body)}`, body)).status;
    }),
  );
  const taken = statuses.filter((status) => status === 201).length;
  assert.ok(taken >= 1 && taken <= 3, String(statuses));
  assert.equal(statuses.filter((status) => status === 403).length, 8 - taken);
});

test('an upload of unknown length is refused half-way, and its client is told', async () => {
  await using bench = await Bench.start({ quotas: quota(6_000_000) });
  const place = (await bench.ask('POST', '/v2/small/a/blobs/uploads/')).headers.get('location') ?? '';
  let sent = 0;
  const stream = new ReadableStream({
    pull(controller) {
      sent += 1_000_000;
      if (sent > 60_000_000) controller.close();
      else controller.enqueue(new Uint8Array(1_000_000));
    },
  });
  const answer = await fetch(bench.base + place, { method: 'PATCH', body: stream, duplex: 'half' });
  assert.deepEqual([answer.status, await codeOf(answer)], [403, 'DENIED']);
  assert.equal((await bench.ask('GET', place)).status, 404);
});

test('reconfigure() puts other rules in force', async () => {
  await using bench = await Bench.start();
  await bench.pushImage('small/app', 'v1', 'layer');
  await bench.server.reconfigure({ readOnly: true }, undefined);
  assert.equal((await bench.ask('DELETE', '/v2/small/app/manifests/v1')).status, 405);
  const health = await (await bench.ask('GET', '/healthz')).json();
  assert.deepEqual(
    { ...(health as object), freeBytes: 0 },
    { status: 'ok', readOnly: true, problems: [], freeBytes: 0 },
  );
  await bench.server.reconfigure({ quotas: quota(10) }, undefined);
  assert.equal((await bench.pushManifest('small/app', 'v1', image('layer'))).status, 201);
  assert.equal(
    (await bench.pushManifest('small/app', 'v2', { ...image('layer'), annotations: {} })).status,
    403,
  );
});

test('metrics tell of requests, contents and quotas', async () => {
  await using bench = await Bench.start({ quotas: quota(1_000) });
  await bench.pushImage('small/app', 'v1', 'layer');
  await bench.ask('GET', '/v2/small/app/manifests/v1');
  await bench.ask('BREW', '/v2/');
  const { body } = await bench.server.metrics();
  for (const line of [
    'wharf_registry_manifests_total{action="push"} 1',
    'wharf_registry_manifests_total{action="pull"} 1',
    'wharf_registry_http_requests_total{method="PUT",route="manifest",code="201"} 1',
    'wharf_registry_tags 1',
    'wharf_registry_quota_limit_bytes{repository="small/app"} 1000',
    'wharf_registry_http_requests_in_flight 0',
  ]) {
    assert.ok(body.includes(`${line}\n`), line);
  }
  assert.doesNotMatch(body, /BREW/);
});
