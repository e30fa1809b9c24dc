import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { hash, randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { eventually, freePort, projectRoot } from '../setup/index.ts';

/** How often the registry is killed; WHARF_KILLS=50 for a long run. */
const kills = Number(process.env['WHARF_KILLS'] ?? 3);
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

let folder: string;
let base: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-kills-'));
  base = `http://127.0.0.1:${await freePort()}`;
});

after(() => rm(folder, { recursive: true }));

/** The program itself, so that the signal meets it and nobody else; garbage is collected all the time. */
async function serve(): Promise<ChildProcess> {
  const flags = ['--root', join(folder, 'data'), '--listen', base.slice('http://'.length)];
  const gc = ['--gc-interval', '0.001', '--gc-grace', '60', '--log-level', 'silent'];
  const program = [process.execPath, join(projectRoot, 'dist/registry.js'), ...flags, ...gc];
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', ...program], { stdio: 'ignore' });
  await eventually(async () => (await fetch(`${base}/v2/`).catch(() => undefined)) !== undefined);
  return server;
}

const digestOf = (data: Uint8Array): string => `sha256:${hash('sha256', data)}`;

/** What the registry has said it has. */
interface Acknowledged {
  readonly blobs: Map<string, string>;
  readonly manifests: Map<string, string>;
  readonly tags: Map<string, string>;
}

async function put(path: string, body: Uint8Array<ArrayBuffer>, type: string): Promise<boolean> {
  const answer = await fetch(new URL(path, base), { method: 'PUT', headers: { 'Content-Type': type }, body });
  await answer.arrayBuffer();
  return answer.status === 201;
}

/** Whole, or in two chunks. Resolves to its descriptor. */
async function pushBlob(
  repository: string,
  data: Uint8Array<ArrayBuffer>,
  known: Acknowledged,
): Promise<object> {
  const digest = digestOf(data);
  const begun = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  let place = begun.headers.get('location') ?? '';
  let rest = data;
  if (randomInt(2) === 0) {
    const body = data.subarray(0, data.length >> 1);
    rest = data.subarray(body.length);
    place = (await fetch(new URL(place, base), { method: 'PATCH', body })).headers.get('location') ?? '';
  }
  assert.ok(await put(`${place}?digest=${digest}`, rest, 'application/octet-stream'));
  known.blobs.set(digest, repository);
  return { mediaType: 'application/octet-stream', digest, size: data.length };
}

async function push(repository: string, tag: string, known: Acknowledged): Promise<void> {
  const config = await pushBlob(
    repository,
    new TextEncoder().encode(JSON.stringify({ tag, repository })),
    known,
  );
  const layer = await pushBlob(repository, randomBytes(randomInt(1, 3 << 20)), known);
  const document = { schemaVersion: 2, mediaType: manifestType, config, layers: [layer] };
  const manifest = new TextEncoder().encode(JSON.stringify(document));
  assert.ok(await put(`/v2/${repository}/manifests/${tag}`, manifest, manifestType));
  known.manifests.set(digestOf(manifest), repository);
  known.tags.set(`${repository} ${tag}`, digestOf(manifest));
}

/** Pushes until the server has gone. */
async function pushOn(name: string, known: Acknowledged): Promise<void> {
  for (let number = 0; ; number += 1) {
    try {
      await push(`app/${name}`, `v${number}`, known);
    } catch (error) {
      // fetch() says TypeError for every failure of a connection.
      if (error instanceof TypeError) return;
      throw error;
    }
  }
}

async function checkAll({ blobs, manifests, tags }: Acknowledged): Promise<void> {
  for (const [kind, all] of [['blobs', blobs] as const, ['manifests', manifests] as const]) {
    for (const [digest, repository] of all) {
      const answer = await fetch(`${base}/v2/${repository}/${kind}/${digest}`);
      assert.equal(answer.status, 200, `${kind} ${digest} of ${repository} was acknowledged and is lost`);
      assert.equal(digestOf(new Uint8Array(await answer.arrayBuffer())), digest);
    }
  }
  for (const [name, digest] of tags) {
    const [repository = '', tag = ''] = name.split(' ');
    const answer = await fetch(`${base}/v2/${repository}/manifests/${tag}`, { method: 'HEAD' });
    assert.equal(answer.headers.get('docker-content-digest'), digest, name);
  }
  // Nothing that is not whole has a name by which it could be given out.
  const place = join(folder, 'data/content/blobs/sha256');
  for (const hex of await readdir(place))
    assert.equal(digestOf(await readFile(join(place, hex))), `sha256:${hex}`);
}

test(`what a registry acknowledged is there after each of ${kills} kills in mid-push`, async (t) => {
  const known: Acknowledged = { blobs: new Map(), manifests: new Map(), tags: new Map() };
  for (let round = 0; round < kills; round += 1) {
    const server = await serve();
    await checkAll(known);
    const before = known.manifests.size;
    const pushers = Array.from({ length: 6 }, (_, number) => pushOn(`${round}-${number}`, known));
    await eventually(() => Promise.resolve(known.manifests.size > before));
    // At no particular moment: that is the point.
    await setTimeout(randomInt(10, 400));
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
    await Promise.all(pushers);
  }
  const server = await serve();
  await checkAll(known);
  t.diagnostic(`${known.blobs.size} blobs and ${known.manifests.size} manifests acknowledged, none lost`);
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
});
