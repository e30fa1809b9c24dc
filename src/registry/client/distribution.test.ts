import assert from 'node:assert/strict';
import { spawn, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { digestOf, mediaTypes, parseManifest, type Descriptor } from '#oci';
import { createRegistryClient, type Repository } from './index.ts';

const program = 'docker-registry';
const { signal } = new AbortController();
const never = { signal };

function isInstalled(): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const skip = isInstalled() ? false : `${program} is not installed`;

/** bcrypt of `secret`. */
const htpasswd = 'bob:$2y$05$DAVhbW9.dTVvtTuhn.Cd7e0YcJf9Pj9J4YyYlUgUXS7K7i.g6W4MC\n';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(host: string): Promise<boolean> {
  return await fetch(`http://${host}/v2/`).then(
    () => true,
    () => false,
  );
}

/** Debian's registry on a port and folder of its own. */
async function startRegistry(withPassword: boolean): Promise<AsyncDisposable & { readonly host: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const file = join(folder, 'config.yml');
  await writeFile(join(folder, 'htpasswd'), htpasswd);
  const auth = `auth: {htpasswd: {realm: r, path: ${join(folder, 'htpasswd')}}}\n`;
  await writeFile(
    file,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/data}}\nhttp: {addr: "${host}"}\n${withPassword ? auth : ''}`,
  );
  const child = spawn(program, ['serve', file], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const deadline = Date.now() + 10_000;
  while (!(await answers(host))) {
    assert.ok(Date.now() < deadline && child.exitCode === null, `${program} does not answer`);
    await delay(20);
  }
  return {
    host,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function push(repository: Repository, tag: string, layer: Buffer): Promise<Descriptor> {
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const [configAt, layerAt] = [
    { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
    { mediaType: mediaTypes.ociLayer, digest: digestOf(layer), size: layer.length },
  ];
  await repository.pushBlob(configAt, () => Promise.resolve(Readable.from([config])), never);
  await repository.pushBlob(layerAt, () => Promise.resolve(Readable.from([layer])), never);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: configAt,
    layers: [layerAt],
  };
  const manifest = Buffer.from(JSON.stringify(document));
  const digest = await repository.pushManifest(tag, mediaTypes.ociManifest, manifest, never);
  return { mediaType: mediaTypes.ociManifest, digest, size: manifest.length };
}

for (const withPassword of [false, true]) {
  test(`a pushed image comes back from Debian's registry, password ${withPassword}`, { skip }, async () => {
    await using registry = await startRegistry(withPassword);
    await using client = createRegistryClient({
      mirrors: [],
      insecureRegistries: [],
      userAgent: 'wharf/test',
    });
    const auth = withPassword ? { username: 'bob', password: 'secret' } : {};
    if (withPassword) {
      assert.equal(await client.login(registry.host, auth, never), '');
      const bad = client.login(registry.host, { username: 'bob', password: 'bad' }, never);
      await assert.rejects(bad, { kind: 'unauthenticated' });
      const anonymous = client.repository(`${registry.host}/a/b`, {}, 'pull');
      await assert.rejects(anonymous.fetchManifest('1', never), /no basic auth credentials/);
    }
    const layer = randomBytes(5_000_000);
    const repository = client.repository(`${registry.host}/a/b`, auth, 'push,pull');
    const pushed = await push(repository, '1', layer);
    const fetched = await repository.fetchManifest('1', never);
    assert.deepEqual(fetched.descriptor, pushed);
    const [descriptor] = parseManifest(fetched.bytes).layers;
    assert.ok(descriptor);
    assert.ok((await buffer(await repository.fetchBlob(descriptor, never))).equals(layer));
    const tail = await buffer(await repository.fetchBlob(descriptor, { signal, offset: 4_000_000 }));
    assert.ok(tail.equals(layer.subarray(4_000_000)));
    assert.equal(await repository.hasBlob(descriptor.digest, never), true);
    assert.equal(await repository.hasBlob(digestOf('absent'), never), false);
    assert.deepEqual(await repository.listTags(never), ['1']);
    const other = client.repository(`${registry.host}/other`, auth, 'push,pull');
    assert.equal(await other.mountBlob(descriptor.digest, repository.name, never), true);
    assert.equal(await other.mountBlob(digestOf('absent'), repository.name, never), false);
    await assert.rejects(repository.fetchManifest('2', never), {
      kind: 'notFound',
      message: `manifest for ${registry.host}/a/b:2 not found: manifest unknown: manifest unknown`,
    });
  });
}
