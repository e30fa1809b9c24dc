import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hash } from 'bcryptjs';
import {
  answerOf,
  busyboxArchive,
  eventually,
  freePort,
  startDaemon,
  wharfProgram,
  type Daemon,
} from '../setup/index.ts';

let daemon: Daemon;
let folder: string;
let address: string;
let stop: () => Promise<unknown>;

/** `wharf registry serve`, as a user types it. */
async function serve(flags: readonly string[]): Promise<() => Promise<unknown>> {
  const args = ['registry', 'serve', '--root', join(folder, 'data'), '--listen', address, ...flags];
  // pdeathsig: it must not outlive a killed test.
  const server = spawn('setpriv', ['--pdeathsig', 'TERM', wharfProgram(), ...args], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  await eventually(async () => (await fetch(`http://${address}/v2/`).catch(() => undefined)) !== undefined);
  return () => {
    server.kill('SIGTERM');
    return ended;
  };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-registry-'));
  address = `127.0.0.1:${await freePort()}`;
  await writeFile(join(folder, 'users'), `ann:${await hash('secret', 5)}\n`);
  await writeFile(
    join(folder, 'rules.json'),
    JSON.stringify([
      { repositories: ['**'], users: ['ann'], actions: ['pull', 'push', 'delete'] },
      { repositories: ['public/**'], users: ['anonymous'], actions: ['pull'] },
    ]),
  );
  stop = await serve(['--htpasswd', join(folder, 'users'), '--access', join(folder, 'rules.json')]);
  daemon = await startDaemon();
  await daemon.docker(['load', '-i', await busyboxArchive()]);
});

after(async () => {
  await daemon[Symbol.asyncDispose]();
  await stop();
  await rm(folder, { recursive: true });
});

function docker(...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

test('docker logs in, pushes, pulls and runs', async () => {
  const [name, shown] = [`${address}/team/box:1`, `${address}/public/box:1`];
  await docker('tag', 'busybox', name);
  await docker('tag', 'busybox', shown);
  const refused = await daemon.docker(['push', name]);
  assert.equal(refused.code, 1);
  assert.match(refused.stdout + refused.stderr, /authentication required|no basic auth credentials/);
  const login = await daemon.docker(['login', '-u', 'ann', '--password-stdin', address], { input: 'secret' });
  assert.match(login.stdout, /Login Succeeded/);
  const pushed = await docker('push', name);
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1] ?? '';
  assert.match(
    await docker('push', shown),
    new RegExp(`Mounted from team/box|Layer already exists[^]*${digest}`),
  );
  const id = await docker('image', 'inspect', '-f', '{{.Id}}', 'busybox');
  await docker('rmi', '-f', 'busybox', name, shown);
  assert.match(await docker('pull', `${address}/team/box@${digest}`), new RegExp(`Digest: ${digest}`));
  await docker('logout', address);
  assert.equal((await daemon.docker(['pull', name])).code, 1);
  await docker('pull', shown);
  assert.equal(await docker('image', 'inspect', '-f', '{{.Id}}', shown), id);
  assert.equal(await docker('run', '--rm', '--network', 'none', shown, 'echo', 'there'), 'there');
});

test('what was pushed is there after the registry was ended and started again', async () => {
  await stop();
  stop = await serve(['--read-only']);
  const list = await fetch(`http://${address}/v2/_catalog`);
  assert.deepEqual(await list.json(), { repositories: ['public/box', 'team/box'] });
  assert.equal((await fetch(`http://${address}/v2/team/box/manifests/1`, { method: 'DELETE' })).status, 405);
});
