import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { hash } from 'bcryptjs';
import { digestOf, mediaTypes } from '#oci';
import { HtpasswdAuthenticator, parseHtpasswd } from './htpasswd.ts';
import { Bench, codeOf, image } from './testing/bench.ts';

test('a blob is uploaded in one request, in chunks, or mounted', async () => {
  await using bench = await Bench.start();
  const data = randomBytes(300_000);
  const digest = digestOf(data);
  assert.equal((await bench.ask('HEAD', `/v2/a/blobs/${digest}`)).status, 404);
  const begun = await bench.ask('POST', '/v2/a/blobs/uploads/');
  assert.equal(begun.status, 202);
  const place = begun.headers.get('location') ?? '';
  for (const [start, end] of [
    [0, 100_000],
    [100_000, 250_000],
  ] as const) {
    const answer = await bench.ask('PATCH', place, data.subarray(start, end), {
      'Content-Range': `${start}-${end - 1}`,
    });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers.get('range'), `0-${end - 1}`);
  }
  const wrong = await bench.ask('PATCH', place, data.subarray(0, 10), { 'Content-Range': '0-9' });
  assert.equal(wrong.status, 416);
  assert.equal(wrong.headers.get('range'), '0-249999');
  assert.equal((await bench.ask('GET', place)).status, 204);
  const done = await bench.ask('PUT', `${place}?digest=${digest}`, data.subarray(250_000));
  assert.equal(done.status, 201);
  assert.equal(done.headers.get('location'), `/v2/a/blobs/${digest}`);
  const whole = await bench.ask('GET', `/v2/a/blobs/${digest}`);
  assert.deepEqual(Buffer.from(await whole.arrayBuffer()), data);
  const part = await bench.ask('GET', `/v2/a/blobs/${digest}`, undefined, { Range: 'bytes=10-19' });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), 'bytes 10-19/300000');
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), data.subarray(10, 20));
  assert.equal(
    (await bench.ask('GET', `/v2/a/blobs/${digest}`, undefined, { Range: 'bytes=300000-' })).status,
    416,
  );
  assert.equal((await bench.ask('GET', `/v2/b/blobs/${digest}`)).status, 404);
  assert.equal((await bench.ask('POST', `/v2/b/blobs/uploads/?mount=${digest}&from=a`)).status, 201);
  assert.equal((await bench.ask('GET', `/v2/b/blobs/${digest}`)).status, 200);
  assert.equal((await bench.ask('POST', `/v2/b/blobs/uploads/?mount=${digestOf('no')}&from=a`)).status, 202);
  assert.equal((await bench.ask('POST', `/v2/c/blobs/uploads/?mount=${digest}`)).status, 201);
  assert.equal((await bench.ask('GET', `/v2/c/blobs/${digest}`)).status, 200);
});

test('an upload goes on after a restart, and is gone after a wrong digest', async () => {
  await using bench = await Bench.start();
  const data = randomBytes(200_000);
  const place = (await bench.ask('POST', '/v2/a/blobs/uploads/')).headers.get('location') ?? '';
  await bench.ask('PATCH', place, data.subarray(0, 150_000));
  await bench.restart();
  assert.equal((await bench.ask('GET', place)).headers.get('range'), '0-149999');
  const digest = digestOf(data, 'sha512');
  assert.equal((await bench.ask('PUT', `${place}?digest=${digest}`, data.subarray(150_000))).status, 201);
  assert.equal((await bench.ask('HEAD', `/v2/a/blobs/${digest}`)).headers.get('content-length'), '200000');
  const other = (await bench.ask('POST', '/v2/a/blobs/uploads/')).headers.get('location') ?? '';
  const wrong = await bench.ask('PUT', `${other}?digest=${digest}`, 'else');
  assert.deepEqual([wrong.status, await codeOf(wrong)], [400, 'DIGEST_INVALID']);
  assert.equal((await bench.ask('GET', other)).status, 404);
});

test('a manifest needs what it refers to, and is found by tag and digest', async () => {
  await using bench = await Bench.start();
  const early = await bench.pushManifest('team/app', 'v1', image('layer'));
  assert.deepEqual([early.status, await codeOf(early)], [404, 'MANIFEST_BLOB_UNKNOWN']);
  const digest = await bench.pushImage('team/app', 'v1', 'layer');
  for (const reference of ['v1', digest]) {
    const answer = await bench.ask('GET', `/v2/team/app/manifests/${reference}`);
    assert.equal(answer.headers.get('content-type'), mediaTypes.ociManifest);
    assert.equal(digestOf(await answer.text()), digest);
  }
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ mediaType: mediaTypes.ociManifest, digest, size: JSON.stringify(image('layer')).length }],
  };
  assert.equal((await bench.pushManifest('team/app', 'all', index)).status, 201);
  index.manifests[0]!.size += 1;
  const lie = await bench.pushManifest('team/app', 'all', index);
  assert.deepEqual([lie.status, await codeOf(lie)], [400, 'MANIFEST_INVALID']);
  assert.equal((await bench.ask('DELETE', '/v2/team/app/manifests/v1')).status, 202);
  assert.equal((await bench.ask('GET', `/v2/team/app/manifests/${digest}`)).status, 200);
  assert.equal((await bench.ask('DELETE', `/v2/team/app/manifests/${digest}`)).status, 202);
  assert.equal((await bench.ask('GET', `/v2/team/app/manifests/${digest}`)).status, 404);
  for (const [type, body] of [
    [mediaTypes.ociManifest, 'no json'],
    [mediaTypes.dockerSchema1, '{"schemaVersion":1}'],
    [mediaTypes.dockerManifest, JSON.stringify(image('layer'))],
    ['text/plain', '{}'],
  ] as const) {
    const answer = await bench.ask('PUT', '/v2/team/app/manifests/bad', body, { 'Content-Type': type });
    assert.deepEqual([answer.status, await codeOf(answer)], [400, 'MANIFEST_INVALID'], type);
  }
  assert.equal((await bench.ask('PUT', '/v2/team/app/manifests/big', 'x'.repeat((4 << 20) + 1))).status, 413);
  assert.equal((await bench.ask('GET', '/v2/Team/manifests/v1')).status, 400);
});

test('tags and repositories come in pages', async () => {
  await using bench = await Bench.start();
  for (const tag of ['c', 'A', 'b']) await bench.pushImage('one', tag, 'x');
  await bench.pushImage('two', 'a', 'x');
  assert.equal((await bench.ask('GET', '/v2/none/tags/list')).status, 404);
  const first = await bench.ask('GET', '/v2/one/tags/list?n=2');
  assert.deepEqual(await first.json(), { name: 'one', tags: ['A', 'b'] });
  const [, next = ''] = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '') ?? [];
  const second = await bench.ask('GET', next);
  assert.deepEqual(await second.json(), { name: 'one', tags: ['c'] });
  assert.equal(second.headers.get('link'), null);
  await bench.pushImage('one', 'a', 'x');
  const lower = await bench.ask('GET', '/v2/one/tags/list?n=1&last=A');
  assert.deepEqual(await lower.json(), { name: 'one', tags: ['a'] });
  assert.deepEqual(await (await bench.ask('GET', '/v2/_catalog?n=1')).json(), { repositories: ['one'] });
  assert.deepEqual(await (await bench.ask('GET', '/v2/_catalog?last=one')).json(), { repositories: ['two'] });
});

test('referrers are listed, by kind where asked', async () => {
  await using bench = await Bench.start();
  const subject = await bench.pushImage('app', 'v1', 'layer');
  const signed = {
    subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: 1 },
    artifactType: 'x/signature',
    annotations: { by: 'me' },
  };
  const answer = await bench.pushManifest('app', 'sig', { ...image('layer'), ...signed });
  assert.equal(answer.headers.get('oci-subject'), subject);
  const list = await bench.ask('GET', `/v2/app/referrers/${subject}`);
  assert.equal(list.headers.get('content-type'), mediaTypes.ociIndex);
  const { manifests } = (await list.json()) as {
    manifests: readonly { artifactType: string; annotations: object }[];
  };
  assert.deepEqual(
    manifests.map(({ artifactType, annotations }) => [artifactType, annotations]),
    [['x/signature', { by: 'me' }]],
  );
  const none = await bench.ask('GET', `/v2/app/referrers/${subject}?artifactType=x%2Fsbom`);
  assert.equal(none.headers.get('oci-filters-applied'), 'artifactType');
  assert.deepEqual(((await none.json()) as { manifests: unknown[] }).manifests, []);
});

test('collect() removes what nobody needs and nothing else', async () => {
  await using bench = await Bench.start();
  const kept = await bench.pushImage('app', 'v1', 'kept layer');
  const untagged = await bench.pushImage('app', 'v2', 'other layer');
  await bench.ask('DELETE', '/v2/app/manifests/v2');
  const loose = await bench.push('app', 'nobody needs this');
  const wait = { graceMs: 60_000, untagged: true };
  assert.deepEqual(await bench.server.collect(wait), { uploads: 0, manifests: 0, blobs: 0, bytes: 0 });
  const { manifests, blobs } = await bench.server.collect({ graceMs: 0, untagged: true });
  assert.deepEqual({ manifests, blobs }, { manifests: 1, blobs: 3 });
  assert.equal((await bench.ask('GET', `/v2/app/blobs/${loose}`)).status, 404);
  assert.equal((await bench.ask('GET', `/v2/app/manifests/${untagged}`)).status, 404);
  assert.equal((await bench.ask('GET', `/v2/app/manifests/${kept}`)).status, 200);
  assert.equal((await bench.ask('GET', `/v2/app/blobs/${digestOf('kept layer')}`)).status, 200);
});

test('pushes succeed while garbage is collected', async () => {
  await using bench = await Bench.start();
  const collecting = new AbortController();
  const collector = (async () => {
    while (!collecting.signal.aborted) await bench.server.collect({ graceMs: 60_000, untagged: false });
  })();
  await Promise.all(
    Array.from({ length: 20 }, async (_, number) => {
      await bench.pushImage(`app${number % 3}`, `v${number}`, `layer ${number % 5}`);
      await bench.ask('DELETE', `/v2/app${number % 3}/manifests/v${number}`);
      await bench.pushImage(`app${number % 3}`, `w${number}`, `layer ${number % 5}`);
      const pulled = await bench.ask('GET', `/v2/app${number % 3}/blobs/${digestOf(`layer ${number % 5}`)}`);
      assert.equal(await pulled.text(), `layer ${number % 5}`);
    }),
  );
  collecting.abort();
  await collector;
});

test('users and rules decide who may do what', async () => {
  const authenticator = new HtpasswdAuthenticator(
    parseHtpasswd(`ann:${await hash('secret', 4)}\nbob:${await hash('word', 4)}\n`),
  );
  await using bench = await Bench.start({
    authenticator,
    rules: [
      { repositories: ['ann/**'], users: ['ann'], actions: ['pull', 'push', 'delete'] },
      { repositories: ['**'], users: ['*', 'anonymous'], actions: ['pull'] },
    ],
  });
  const as = (user: string, password: string): Record<string, string> => ({
    Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });
  const begin = async (headers: Record<string, string>, repository: string): Promise<number> =>
    (await bench.ask('POST', `/v2/${repository}/blobs/uploads/`, undefined, headers)).status;
  assert.equal(await begin(as('ann', 'secret'), 'ann/app'), 202);
  assert.equal(await begin(as('bob', 'word'), 'ann/app'), 403);
  assert.equal(await begin(as('ann', 'secret'), 'other'), 403);
  assert.equal(await begin({}, 'ann/app'), 401);
  for (const headers of [as('ann', 'wrong'), as('nobody', 'x'), { Authorization: 'Bearer x' }]) {
    const answer = await bench.ask('GET', '/v2/', undefined, headers);
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer realm="http:.*\/token",service=/);
  }
  assert.equal((await bench.ask('GET', '/v2/')).status, 401);
  const bearer = async (headers?: Record<string, string>): Promise<Record<string, string>> => {
    const answer = await bench.ask('GET', '/token?service=x', undefined, headers);
    const { token } = (await answer.json()) as { token?: string };
    return { Authorization: `Bearer ${token ?? ''}` };
  };
  const nobody = await bearer();
  assert.equal((await bench.ask('GET', '/v2/', undefined, nobody)).status, 200);
  assert.equal((await bench.ask('GET', '/v2/other/tags/list', undefined, nobody)).status, 404);
  assert.equal(await begin(nobody, 'ann/app'), 401);
  assert.equal(await begin(await bearer(as('ann', 'secret')), 'ann/app'), 202);
  assert.equal((await bench.ask('GET', '/token', undefined, as('ann', 'wrong'))).status, 401);
});

test('a registry is read-only, and tags stay, where it is told so', async () => {
  await using bench = await Bench.start({ immutableTags: ['app:v*'] });
  await bench.pushImage('app', 'v1', 'one');
  await bench.pushImage('app', 'v1', 'one');
  await bench.push('app', 'two');
  const moved = await bench.pushManifest('app', 'v1', image('two'));
  assert.deepEqual([moved.status, await codeOf(moved)], [403, 'DENIED']);
  assert.equal((await bench.ask('DELETE', '/v2/app/manifests/v1')).status, 403);
  assert.equal((await bench.pushManifest('app', 'latest', image('two'))).status, 201);
  await using still = await Bench.start({ readOnly: true });
  assert.equal((await still.ask('POST', '/v2/app/blobs/uploads/')).status, 405);
});
