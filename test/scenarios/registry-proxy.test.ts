import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  answerOf,
  busyboxImage,
  eventually,
  freePort,
  startDaemon,
  startRegistry,
  wharfProgram,
} from '../setup/index.ts';

test('docker pull busybox goes through a copy of the Hub, and goes on when the Hub is down', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-proxy-'));
  const login = { user: 'ann', password: 'secret' };
  await using hub = await startRegistry({ login });
  const digest = await hub.publish('library/busybox:latest', await busyboxImage());
  const file = join(folder, 'proxy.yml');
  const upstream = { registry: hub.address, username: login.user, passwordFile: 'password', ttl: '1s' };
  await writeFile(file, JSON.stringify({ upstreams: [upstream, { prefix: 'own' }], cache: { size: '1GB' } }));
  await writeFile(join(folder, 'password'), login.password);
  const address = `127.0.0.1:${await freePort()}`;
  const flags = ['--root', join(folder, 'data'), '--listen', address, '--proxy', file];
  const program = [wharfProgram(), 'registry', 'serve', ...flags];
  const server = spawn('setpriv', ['--pdeathsig', 'TERM', ...program], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  try {
    await eventually(async () => (await fetch(`http://${address}/v2/`).catch(() => undefined)) !== undefined);
    await using daemon = await startDaemon({ flags: ['--registry-mirror', `http://${address}`] });
    const docker = (...args: string[]): Promise<string> => answerOf(daemon.docker, args);
    assert.match(await docker('pull', 'busybox'), new RegExp(`Digest: ${digest}`));
    assert.equal(await docker('run', '--rm', '--network', 'none', 'busybox', 'echo', 'there'), 'there');
    const blobs = async (): Promise<number> =>
      (await hub.requests()).filter((each) => each.startsWith('GET') && each.includes('/blobs/')).length;
    const fetched = await blobs();
    await docker('rmi', 'busybox');
    await docker('pull', 'busybox');
    assert.equal(await blobs(), fetched);
    await docker('tag', 'busybox', `${address}/own/box:1`);
    await docker('push', `${address}/own/box:1`);
    await docker('tag', 'busybox', `${address}/team/box:1`);
    const refused = await daemon.docker(['push', `${address}/team/box:1`]);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout + refused.stderr, /team\/box is a copy of .*: push there/);
    await docker('rmi', `${address}/own/box:1`, `${address}/team/box:1`);
    await docker('rmi', 'busybox');
    await hub.stop();
    // Past its second, so that the hub is asked, and does not answer.
    await eventually(async () => {
      const answer = await fetch(`http://${address}/v2/library/busybox/manifests/latest`, { method: 'HEAD' });
      return answer.headers.get('warning') !== null;
    });
    assert.match(await docker('pull', 'busybox'), new RegExp(`Digest: ${digest}`));
  } finally {
    server.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true });
  }
});
