/** Pushes and pulls over connections that break, from mirrors that fall silent, and of indexes that are half here. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { after, before, test } from 'node:test';
import {
  dockerArchive,
  eventually,
  freePort,
  LayoutBlobs,
  publishLayout,
  smallImage,
  smallImageId,
  startDaemon,
  startRegistry,
  wharfProgram,
  type Daemon,
  type Registry,
} from '../../setup/index.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { MeteredRegistry } from './metered-registry.ts';

interface Served extends AsyncDisposable {
  /** host:port */
  readonly address: string;
}

/** `wharf registry serve`. */
async function serveRegistry(): Promise<Served> {
  const root = await mkdtemp(join(tmpdir(), 'wharf-registry-'));
  const address = `127.0.0.1:${await freePort()}`;
  const args = ['registry', 'serve', '--root', root, '--listen', address];
  const server = spawn('setpriv', ['--pdeathsig', 'TERM', wharfProgram(), ...args], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  await eventually(async () => (await fetch(`http://${address}/v2/`)).ok);
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGTERM');
      await ended;
      await rm(root, { recursive: true, force: true });
    },
  };
}

let daemon: Daemon;
let registry: Registry;
let own: Served;
before(async () => {
  [daemon, registry, own] = await Promise.all([startDaemon(), startRegistry(), serveRegistry()]);
});
after(async () => {
  await registry.stop();
  await own[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

const size = 12_000_000;

// Debian's registry forgets an upload that broke off: what it had is sent again.
for (const [name, address, sentAgain] of [
  ["Debian's docker-registry", () => registry.address, 9_000_000],
  ['wharf registry serve', () => own.address, 0],
] as const) {
  test(`a push and a pull go on after breaks: ${name}`, async () => {
    const image = smallImage([[{ name: 'data', content: randomBytes(size) }]]);
    await using proxy = await CuttingProxy.open(address());
    const reference = `${proxy.address}/broken:1`;
    const archive = join(daemon.folder, 'broken.tar');
    await writeFile(archive, dockerArchive([{ image, tags: [reference] }]));
    await docker('load', '-q', '-i', archive);
    proxy.cutUp = [4_000_000, 9_000_000];
    const pushed = await docker('push', reference);
    assert.match(pushed, /: Pushed\n/);
    assert.deepEqual(proxy.cutUp, [], 'no connection was cut');
    assert.ok(proxy.up - sentAgain < size * 1.25, `${proxy.up} bytes were sent`);
    await docker('rmi', reference);
    proxy.cutDown = [proxy.down + 4_000_000, proxy.down + 9_000_000];
    const begun = proxy.down;
    assert.match(await docker('pull', reference), /Pull complete/);
    assert.deepEqual(proxy.cutDown, [], 'no connection was cut');
    assert.ok(proxy.down - begun < size * 1.25, `${proxy.down - begun} bytes came`);
    assert.equal((await docker('images', '-q', '--no-trunc', reference)).trim(), smallImageId(image));
    await docker('rmi', reference);
  });
}

test('a mirror of any registry is asked first, and given up in mid-pull; a reload changes it', async () => {
  const image = smallImage([[{ name: 'data', content: randomBytes(4_000_000) }]]);
  await using upstream = await MeteredRegistry.open(image);
  const mirror = await MeteredRegistry.open(image);
  upstream.allow(Infinity);
  mirror.allow(2_000_000);
  const config = join(daemon.folder, 'daemon.json');
  const reload = async (settings: object): Promise<void> => {
    await writeFile(config, JSON.stringify(settings));
    const reloads = (await daemon.log()).split('reloaded').length;
    kill(daemon.pid, 'SIGHUP');
    await eventually(async () => (await daemon.log()).split('reloaded').length > reloads);
  };
  await reload({ 'registry-mirrors': [`${upstream.address}=http://${mirror.address}`] });
  const reference = `${upstream.address}/x:1`;
  const pulling = docker('pull', reference);
  await eventually(() => mirror.isSpent);
  await mirror[Symbol.asyncDispose]();
  assert.match(await pulling, new RegExp(upstream.digest));
  assert.equal(upstream.requests.length, 1);
  assert.ok((upstream.requests[0]?.start ?? 0) > 1_000_000, 'the layer began anew');
  await docker('rmi', reference);
  await reload({});
  await docker('pull', reference);
  assert.equal(upstream.requests.at(-1)?.start, 0);
  await docker('rmi', reference);
});

test('an index whose other platforms are not here is pushed whole, with the same digest', async () => {
  const layout = new LayoutBlobs();
  const platforms = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 's390x' },
  ];
  const images = platforms.map((platform) =>
    smallImage([[{ name: platform.architecture, content: randomBytes(1000) }]], { platform }),
  );
  const index = layout.index(images, { attest: true });
  const [, foreign] = images;
  assert.ok(foreign);
  const absent = layout.manifest(foreign);
  await publishLayout(registry.address, 'from', '1', layout, index);
  const from = `${registry.address}/from:1`;
  await docker('pull', from);
  // Within one registry blobs are mounted, to another one they are copied.
  for (const target of [`${registry.address}/to:1`, `${own.address}/to:1`]) {
    await docker('tag', from, target);
    const pushed = await docker('push', target);
    assert.match(pushed, new RegExp(`1: digest: ${index.digest} `));
    const [address = '', path = ''] = target.split('/');
    const other = `http://${address}/v2/${path.replace(':1', '')}/manifests/${absent.digest}`;
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    assert.equal((await fetch(other, { headers: { accept } })).status, 200);
    await docker('rmi', target);
  }
  const mounts = (await registry.requests()).filter((line) => /POST \/v2\/to\/.*mount=.* 201$/.test(line));
  assert.ok(mounts.length >= 2, mounts.join('\n'));
  await docker('rmi', from);
});
