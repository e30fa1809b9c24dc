import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { command, eventually, succeed } from './commands.ts';
import { assertNoLeaks, hostState, leaksBetween } from './host-state.ts';
import { busyboxImage, imageId, withSettings, writeArchive } from './images.ts';
import { startRegistry } from './registry.ts';
import { Terminal } from './terminal.ts';

test('command() tells exit codes, signals and both outputs', async () => {
  const result = await command('sh', ['-c', 'cat; echo bad >&2; exit 3'], { input: 'hi' });
  assert.deepEqual(result, { code: 3, stdout: 'hi', stderr: 'bad\n' });
  assert.equal((await command('sh', ['-c', 'kill -9 $$'])).code, 137);
  await assert.rejects(command('sleep', ['60'], { timeout: 50 }), /no end after 50 ms/);
});

test('eventually() gives the cause when time is up', async () => {
  let calls = 0;
  assert.equal(await eventually(() => (++calls > 3 ? 'yes' : '')), 'yes');
  const probe = () => Promise.reject(new Error('because'));
  await assert.rejects(eventually(probe, { timeout: 20, what: 'x' }), (error: Error) => {
    assert.equal(error.message, 'not in time: x');
    return (error.cause as Error).message === 'because';
  });
});

test('Terminal drives a program under a pty and resizes it', async () => {
  await using terminal = new Terminal('sh', ['-c', "stty size; trap 'stty size' WINCH; read x; exit 7"], {
    size: { rows: 30, columns: 99 },
  });
  await terminal.expect(/30 99\r\n/);
  await terminal.resize({ rows: 44, columns: 111 });
  await terminal.expect(/44 111\r\n/);
  terminal.type('\r');
  assert.equal(await terminal.exitCode(), 7);
});

test('writeArchive() writes an archive with the named image', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-setup-test-'));
  try {
    const image = withSettings(await busyboxImage(), { Labels: { a: 'b' } });
    assert.notEqual(imageId(image), imageId(await busyboxImage()));
    await writeArchive(join(folder, 'a.tar'), [{ image, tags: ['x:1'] }]);
    const listing = await succeed('tar', ['-xOf', join(folder, 'a.tar'), './manifest.json']);
    const config = `${imageId(image).slice(7)}.json`;
    assert.deepEqual((JSON.parse(listing) as [{ Config: string }])[0].Config, config);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('startRegistry() stores images, asks for a login and goes without a trace', async () => {
  const before = await hostState();
  let storage = '';
  {
    const login = { user: 'ann', password: 'secret' };
    await using registry = await startRegistry({ login });
    storage = registry.storage;
    const digest = await registry.publish('library/busybox:latest', await busyboxImage());
    const url = `http://${registry.address}/v2/library/busybox/manifests/latest`;
    assert.equal((await fetch(url)).status, 401);
    const accept = 'application/vnd.docker.distribution.manifest.v2+json';
    const headers = { authorization: `Basic ${btoa('ann:secret')}`, accept };
    const answer = await fetch(url, { headers });
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    assert.ok((await registry.requests()).includes('GET /v2/library/busybox/manifests/latest 401'));
  }
  assert.equal(existsSync(storage), false);
  await assertNoLeaks(before, { own: (line) => line.includes('docker-registry') });
});

test('startRegistry() serves HTTPS with a certificate to trust', async () => {
  await using registry = await startRegistry({ tls: true });
  const args = ['--silent', '--show-error', '--cacert', registry.certificate ?? ''];
  assert.equal(await succeed('curl', [...args, `https://${registry.address}/v2/`]), '{}');
});

test('leaksBetween() names what was added, and too many descriptors', () => {
  const empty = { mounts: [], links: ['lo'], cgroups: [], rules: [], processes: [], descriptors: {} };
  const before = { ...empty, mounts: ['/a (overlay)'], descriptors: { daemon: 10 } };
  const after = {
    ...empty,
    mounts: ['/a (overlay)', '/a (overlay)', '/other (tmpfs)'],
    links: ['lo', 'veth1'],
    descriptors: { daemon: 30 },
  };
  assert.deepEqual(
    leaksBetween(before, after, (line) => line.startsWith('/a')),
    ['mounts: /a (overlay)', 'links: veth1', 'descriptors: daemon has 30, had 10'],
  );
});
