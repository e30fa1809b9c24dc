import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notFound } from '#kernel';
import type { ImageRecord } from '#images';
import { hostPlatform, type Descriptor, type Digest, type Platform } from '#oci';
import { BaseImageFinder, type BaseImageStore } from './base-image-finder.ts';

const host = hostPlatform();
const foreign: Platform = { os: 'linux', architecture: host.architecture === 's390x' ? 'amd64' : 's390x' };
const { signal } = new AbortController();
const index: Descriptor = { mediaType: '', digest: `sha256:${'1'.repeat(64)}` as Digest, size: 1 };

const imageFor = ({ os, architecture }: Platform): ImageRecord =>
  // Only what the finder looks at.
  ({ config: { os, architecture, rootfs: { type: 'layers', diff_ids: [] } } }) as unknown as ImageRecord;

/** Images by name, one per name, and what was pulled. */
class Store implements BaseImageStore {
  readonly names = new Map<string, ImageRecord>();
  readonly pulled: string[] = [];
  readonly users: (string | undefined)[] = [];

  find = (name: string): ImageRecord | undefined => this.names.get(name);
  get = (name: string): ImageRecord => this.names.get(name) ?? assert.fail(name);
  select = (): Promise<ImageRecord> => Promise.reject(notFound('not here'));
  inspectDistribution: BaseImageStore['inspectDistribution'] = () =>
    Promise.resolve({ descriptor: index, platforms: [] });
  pull: BaseImageStore['pull'] = (name, { platform, auth }) => {
    this.pulled.push(name);
    this.users.push(auth?.username);
    this.names.set(name, imageFor(platform ?? host));
    return Promise.resolve();
  };
}

const asked = (platform: Platform, pull = false): Parameters<BaseImageFinder['find']>[1] => ({
  ...{ platform, pull, signal },
  credentials: (domain) => Promise.resolve({ username: domain, password: 'x' }),
  report: () => undefined,
});

test('find() asks the registry once, with the credentials for it, and again where it is told to', async () => {
  const store = new Store();
  const finder = new BaseImageFinder(store);
  await finder.find('h.test/x:1', asked(host));
  await finder.find('h.test/x:1', asked(host));
  assert.deepEqual(store.pulled, ['h.test/x:1']);
  assert.deepEqual(store.users, ['h.test']);
  await finder.find('h.test/x:1', asked(host, true));
  assert.equal(store.pulled.length, 2);
});

test('find() of another platform leaves the name to the image of this host', async () => {
  const store = new Store();
  const finder = new BaseImageFinder(store);
  const found = await Promise.all(
    [host, foreign].map((platform) => finder.find('h.test/x:1', asked(platform))),
  );
  assert.deepEqual(store.pulled, ['h.test/x:1', `h.test/x@${index.digest}`]);
  assert.deepEqual(
    found.map(({ config }) => config.architecture),
    [host.architecture, foreign.architecture],
  );
  assert.equal(store.get('h.test/x:1').config.architecture, host.architecture);
});
