import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hash } from 'bcryptjs';
import { systemClock, type Clock } from '#kernel';
import { digestOf, mediaTypes } from '#oci';
import { HtpasswdAuthenticator, parseHtpasswd } from '../htpasswd.ts';
import type { RegistryServerOptions } from '../registry-server.ts';
import { Bench, codeOf, image } from '../testing/bench.ts';
import { Front } from '../testing/front.ts';
import { readProxyFile, type ProxySettings } from './proxy-file.ts';

const unlimited = { size: undefined, age: undefined };

/** An upstream, the way to it, and a registry whose `hub/…` is a copy of it. */
class Chain implements AsyncDisposable {
  readonly upstream: Bench;
  readonly front: Front;
  readonly copy: Bench;

  private constructor(upstream: Bench, front: Front, copy: Bench) {
    this.upstream = upstream;
    this.front = front;
    this.copy = copy;
  }

  static async start(
    settings: Partial<ProxySettings> & {
      readonly ttl?: number;
      readonly clock?: Clock;
      readonly upstream?: Partial<RegistryServerOptions>;
      readonly login?: { readonly username: string; readonly password: string };
    } = {},
  ): Promise<Chain> {
    const upstream = await Bench.start(settings.upstream);
    const front = new Front(upstream.base);
    const registry = await front.listen();
    const rule = { prefix: 'hub', registry, auth: settings.login ?? {}, ttl: settings.ttl ?? 0 };
    const proxy = { upstreams: [rule], insecure: [], budget: settings.budget ?? unlimited };
    const { clock = systemClock } = settings;
    return new Chain(upstream, front, await Bench.start({ proxy, clock }));
  }

  pull(path: string, headers?: Record<string, string>): Promise<Response> {
    return this.copy.ask('GET', `/v2/hub/${path}`, undefined, headers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.copy[Symbol.asyncDispose]();
    await this.front[Symbol.asyncDispose]();
    await this.upstream[Symbol.asyncDispose]();
  }
}

const large = (): string => randomBytes(1 << 20).toString('hex');
/** Bytes of the next chunk of a body. */
const nextSize = async (answer: Response | undefined): Promise<number> => {
  const reader = answer?.body?.getReader();
  // What fetch() gives are bytes.
  const { value } = (await reader?.read()) as { readonly value?: Uint8Array };
  reader?.releaseLock();
  return value?.length ?? 0;
};

const bytesOf = async (answer: Response): Promise<string> => await answer.text();

test('a blob is fetched once for everybody who asks, and reaches them while it comes', async () => {
  await using chain = await Chain.start();
  const layer = large();
  const blob = `app/blobs/${digestOf(layer)}`;
  const digest = await chain.upstream.pushImage('app', 'v1', layer);
  assert.equal(digestOf(await bytesOf(await chain.pull('app/manifests/v1'))), digest);
  const gate = Promise.withResolvers<undefined>();
  chain.front.gate = { at: 500_000, opened: gate.promise };
  const answers = await Promise.all(Array.from({ length: 10 }, () => chain.pull(blob)));
  const [first, ...others] = answers;
  // The upstream has not given it all yet.
  assert.ok((await nextSize(first)) > 0);
  const part = await chain.pull(blob, { Range: 'bytes=100-199' });
  assert.equal(part.status, 206);
  gate.resolve(undefined);
  assert.equal(await bytesOf(part), layer.slice(100, 200));
  for (const answer of others) assert.equal(digestOf(await bytesOf(answer)), digestOf(layer));
  await first?.body?.cancel();
  assert.equal(digestOf(await bytesOf(await chain.pull(blob))), digestOf(layer));
  assert.equal(chain.front.count(/GET .*\/blobs\//), 1);
});

test('a tag is asked for again when its time is over', async () => {
  await using quick = await Chain.start();
  await using slow = await Chain.start({ ttl: 600_000 });
  for (const [chain, sees] of [
    [quick, 'new'],
    [slow, 'old'],
  ] as const) {
    const digests = { old: await chain.upstream.pushImage('app', 'v1', 'old'), new: '' };
    assert.equal((await chain.pull('app/manifests/v1')).headers.get('docker-content-digest'), digests.old);
    digests.new = await chain.upstream.pushImage('app', 'v1', 'new');
    const again = await chain.pull('app/manifests/v1');
    assert.equal(again.headers.get('docker-content-digest'), digests[sees]);
  }
  await quick.pull('app/manifests/v1');
  // Unmoved: a HEAD was enough.
  assert.equal(quick.front.requests.at(-1)?.startsWith('HEAD'), true);
  await quick.upstream.ask('DELETE', '/v2/app/manifests/v1');
  assert.equal((await quick.pull('app/manifests/v1')).status, 404);
  quick.front.isDown = true;
  assert.equal((await quick.pull('app/manifests/v1')).status, 503);
});

test('copies are served while the upstream is down, with a warning', async () => {
  await using chain = await Chain.start();
  const digest = await chain.upstream.pushImage('app', 'v1', 'layer');
  for (const path of ['manifests/v1', `blobs/${digestOf('layer')}`]) {
    const answer = await chain.pull(`app/${path}`);
    assert.equal(answer.headers.get('warning'), null);
    await answer.text();
  }
  chain.front.isDown = true;
  const stale = await chain.pull('app/manifests/v1');
  assert.equal(stale.headers.get('docker-content-digest'), digest);
  assert.match(stale.headers.get('warning') ?? '', /^110 wharf "127\.0\.0\.1:\d+ does not answer/);
  assert.equal(await bytesOf(await chain.pull(`app/blobs/${digestOf('layer')}`)), 'layer');
  const list = await chain.pull('app/tags/list');
  assert.deepEqual(await list.json(), { name: 'hub/app', tags: ['v1'] });
  assert.match(list.headers.get('warning') ?? '', /^110/);
  const unknown = await chain.pull('app/manifests/v2');
  assert.deepEqual([unknown.status, await codeOf(unknown)], [503, 'UNAVAILABLE']);
});

test('wrong bytes are never given out whole, and never kept', async () => {
  await using chain = await Chain.start();
  const layer = large();
  await chain.upstream.pushImage('app', 'v1', layer);
  await (await chain.pull('app/manifests/v1')).text();
  chain.front.spoil = (chunk) => Buffer.from(chunk.map((byte) => byte ^ 1));
  await assert.rejects((await chain.pull(`app/blobs/${digestOf(layer)}`)).text());
  const range = await chain.pull(`app/blobs/${digestOf(layer)}`, { Range: 'bytes=0-9' });
  await assert.rejects(range.text());
  chain.front.spoil = undefined;
  assert.equal(digestOf(await bytesOf(await chain.pull(`app/blobs/${digestOf(layer)}`))), digestOf(layer));
});

test('a transfer that breaks goes on where it was, after a restart too', async () => {
  await using chain = await Chain.start();
  const layer = large();
  await chain.upstream.pushImage('app', 'v1', layer);
  await (await chain.pull('app/manifests/v1')).text();
  chain.front.cutAfter = 1_500_000;
  assert.equal(digestOf(await bytesOf(await chain.pull(`app/blobs/${digestOf(layer)}`))), digestOf(layer));
  assert.ok(chain.front.count(/GET .*\/blobs\/.* Range/) >= 1);
  const other = large();
  await chain.upstream.pushImage('app', 'v2', other);
  await (await chain.pull('app/manifests/v2')).text();
  chain.front.cutAfter = undefined;
  chain.front.gate = { at: 1_200_000, opened: new Promise(() => undefined) };
  const broken = await chain.pull(`app/blobs/${digestOf(other)}`);
  for (let read = 0; read < 1_100_000;) read += await nextSize(broken);
  const before = chain.front.requests.length;
  chain.front.gate = undefined;
  await chain.copy.restart();
  await broken.body?.cancel().catch(() => undefined);
  assert.equal(digestOf(await bytesOf(await chain.pull(`app/blobs/${digestOf(other)}`))), digestOf(other));
  assert.match(chain.front.requests.slice(before).find((each) => each.includes('/blobs/')) ?? '', / Range$/);
});

test('copies take no pushes; repositories beside them do', async () => {
  await using chain = await Chain.start();
  const refused = await chain.copy.ask('POST', '/v2/hub/app/blobs/uploads/');
  assert.deepEqual([refused.status, await codeOf(refused)], [405, 'UNSUPPORTED']);
  await chain.copy.pushImage('own', 'v1', 'layer');
  assert.equal((await chain.copy.ask('GET', '/v2/own/manifests/v1')).status, 200);
  assert.equal(chain.front.requests.length, 0);
  assert.equal((await chain.pull('app/manifests/v1')).status, 404);
  assert.equal((await chain.pull('app/manifests/sha256:short')).status, 400);
});

test('credentials go to the upstream, and not to where it sends us', async () => {
  const authenticator = new HtpasswdAuthenticator(parseHtpasswd(`ann:${await hash('secret', 4)}\n`));
  await using elsewhere = await Bench.start();
  await elsewhere.pushImage('app', 'v1', 'layer');
  await using open = await Chain.start({
    upstream: { authenticator },
    login: { username: 'ann', password: 'secret' },
  });
  const basic = { Authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` };
  const push = (data: string): Promise<Response> =>
    open.upstream.ask('POST', `/v2/app/blobs/uploads/?digest=${digestOf(data)}`, data, basic);
  await push('{}');
  await push('layer');
  const manifest = JSON.stringify(image('layer'));
  const type = { 'Content-Type': mediaTypes.ociManifest };
  await open.upstream.ask('PUT', '/v2/app/manifests/v1', manifest, { ...basic, ...type });
  assert.equal(await bytesOf(await open.pull('app/manifests/v1')), manifest);
  assert.ok(open.front.authorizations.some((each) => each?.startsWith('Bearer')));
  await using other = new Front(elsewhere.base);
  const host = await other.listen();
  open.front.redirect = (path) => `http://${host}${path}`;
  assert.equal(await bytesOf(await open.pull(`app/blobs/${digestOf('layer')}`)), 'layer');
  assert.equal(other.count(/blobs/), 1);
  assert.deepEqual(other.authorizations, [undefined]);
});

test('what was not asked for goes when there is too much of it', async () => {
  let hours = 0n;
  const clock = { ...systemClock, now: () => systemClock.now() + hours * 3_600_000_000_000n };
  const budget = { size: 60_000, age: undefined };
  await using chain = await Chain.start({ budget, ttl: 600_000_000, clock });
  const layers = ['a', 'b', 'c'].map((letter) => letter.repeat(25_000));
  for (const [index, layer] of layers.entries()) {
    await chain.upstream.pushImage('app', `v${index}`, layer);
    await (await chain.pull(`app/manifests/v${index}`)).text();
    await (await chain.pull(`app/blobs/${digestOf(layer)}`)).text();
    hours += 1n;
  }
  await chain.copy.pushImage('own', 'v1', 'x'.repeat(90_000));
  await (await chain.pull('app/manifests/v0')).text();
  const { blobs } = await chain.copy.server.collect({ graceMs: 86_400_000, untagged: false });
  // A layer and its manifest.
  assert.equal(blobs, 2);
  chain.front.isDown = true;
  const there = await Promise.all(
    layers.map(async (layer) => (await chain.pull(`app/blobs/${digestOf(layer)}`)).status),
  );
  assert.deepEqual(there, [200, 503, 200]);
});

test('referrers are the upstream’s, by its list or by its tag', async () => {
  await using chain = await Chain.start();
  const subject = await chain.upstream.pushImage('app', 'v1', 'layer');
  const about = { mediaType: mediaTypes.ociManifest, digest: subject, size: 1 };
  await chain.upstream.pushImage('app', 'sig', 'signed', { subject: about, artifactType: 'x/sig' });
  const answer = await chain.pull(`app/referrers/${subject}?artifactType=x%2Fsig`);
  assert.equal(answer.headers.get('oci-filters-applied'), 'artifactType');
  const { manifests } = (await answer.json()) as { manifests: readonly { artifactType: string }[] };
  assert.deepEqual(
    manifests.map(({ artifactType }) => artifactType),
    ['x/sig'],
  );
});

test('readProxyFile() reads upstreams with their credentials, and names what is wrong', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-proxy-'));
  const path = join(folder, 'proxy.yml');
  try {
    await writeFile(join(folder, 'word'), 'secret\n');
    await writeFile(
      path,
      'upstreams:\n- {registry: docker.io, username: ann, passwordFile: word, ttl: 5m}\n- {prefix: own}\ncache: {size: 1GiB, age: 30d}\n',
    );
    assert.deepEqual(readProxyFile(path), {
      upstreams: [
        { prefix: '', registry: 'docker.io', auth: { username: 'ann', password: 'secret' }, ttl: 300_000 },
        { prefix: 'own', registry: undefined, auth: {}, ttl: 60_000 },
      ],
      insecure: [],
      budget: { size: 1 << 30, age: 30 * 86_400_000 },
    });
    for (const [text, problem] of [
      ['upstreams: [{registri: x}]', /upstreams\[0\]\.registri/],
      ['upstreams: [{prefix: A}]', /cannot begin/],
      ['upstreams: [{prefix: a}, {prefix: a}]', /twice/],
      ['upstreams: [{username: a}]', /password/],
    ] as const) {
      await writeFile(path, text);
      assert.throws(() => readProxyFile(path), problem);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
