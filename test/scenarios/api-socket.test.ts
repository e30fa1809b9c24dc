import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openUnixListener } from '#linux';
import { projectRoot } from '../setup/clients.ts';
import { command } from '../setup/commands.ts';
import { answerOf, busyboxArchive, eventually, startDaemon } from '../setup/index.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

function docker(...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

async function ping(socketPath: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const ask = request({ socketPath, path: '/_ping', agent: false }, (response) => {
    response.resume();
    response.on('end', () => resolve(`${response.statusCode ?? 0}`));
  });
  ask.on('error', reject).end();
  return promise;
}

/** What the container gets from its own end of the socket: a mount of an inode, whatever lies at the path now. */
async function askFromInside(): Promise<string> {
  const pid = await docker('inspect', '-f', '{{.State.Pid}}', 'inside');
  return ping(`/proc/${pid}/root/var/run/docker.sock`);
}

await docker('load', '-i', await busyboxArchive());
await docker(
  ...['run', '-d', '--name', 'inside', '-v', `${daemon.socket}:/var/run/docker.sock`],
  ...['busybox', 'sleep', '1000'],
);

test('a mounted socket answers after a kill -9 of the daemon and after an orderly restart', async () => {
  assert.equal(await askFromInside(), '200');
  await daemon.kill9();
  await daemon.start();
  assert.equal(await askFromInside(), '200');
  await daemon.stop();
  assert.equal(existsSync(daemon.socket), false, 'clients of the host see that no engine runs');
  await daemon.start();
  assert.equal(await askFromInside(), '200');
});

test('a request made while there is no daemon waits for the next one', async () => {
  await daemon.kill9();
  const client = connect(daemon.socket);
  let answer = '';
  client.setEncoding('utf8').on('data', (text: string) => (answer += text));
  client.write('GET /_ping HTTP/1.0\r\n\r\n');
  await daemon.start();
  await eventually(() => Promise.resolve(answer.startsWith('HTTP/1.1 200 OK')));
  client.destroy();
});

test('a mounted socket survives an upgrade of the supervisor too', async () => {
  process.kill(daemon.pid, 'SIGUSR2');
  await eventually(async () => (await daemon.log()).includes('the supervisor was upgraded in place'));
  await daemon.kill9();
  await daemon.start();
  assert.equal(await askFromInside(), '200');
});

test('-H fd:// serves the socket that a service manager passes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-passed-'));
  const path = join(folder, 'passed.sock');
  const passed = openUnixListener(path, { mode: 0o600 });
  const roots = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'run')];
  const program = [
    join(projectRoot, 'node_modules/.bin/node'),
    join(projectRoot, 'dist/wharfd.js'),
    ...roots,
  ];
  const script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" -H fd:// --config-file "$0"';
  await writeFile(join(folder, 'empty.json'), '');
  // pdeathsig: it must not outlive a killed test.
  const shell = ['sh', '-c', script, join(folder, 'empty.json'), ...program];
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...shell], {
    stdio: ['ignore', 'ignore', 'ignore', passed],
  });
  closeSync(passed);
  try {
    assert.equal(await ping(path), '200');
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    for (const name of ['data/snapshots', 'data', 'run']) await command('umount', ['-l', join(folder, name)]);
    await rm(folder, { recursive: true, force: true });
  }
});
