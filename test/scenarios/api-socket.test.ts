import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { busyboxArchive, eventually, startDaemon } from '../setup/index.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(args);
  assert.equal(code, 0, `docker ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout.trim();
}

/** What the container gets from its own end of the socket: a mount of an inode, whatever lies at the path now. */
async function askFromInside(): Promise<string> {
  const pid = await docker('inspect', '-f', '{{.State.Pid}}', 'inside');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const ask = request(
    { socketPath: `/proc/${pid}/root/var/run/docker.sock`, path: '/_ping', agent: false },
    (response) => {
      response.resume();
      response.on('end', () => resolve(`${response.statusCode ?? 0}`));
    },
  );
  ask.on('error', reject).end();
  return promise;
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
