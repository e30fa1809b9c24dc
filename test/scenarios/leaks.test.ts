import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerOf, busyboxArchive, startDaemon, type Daemon, type HostState } from '../setup/index.ts';

let daemon: Daemon;
let idle: HostState;

before(async () => {
  daemon = await startDaemon();
  await succeed('load', '-q', '-i', await busyboxArchive());
  await succeed('network', 'create', 'own');
  // The first runs open what stays: sockets of the supervisor, worker threads, the bridge.
  await Promise.all([1, 2, 3, 4].map(() => succeed('run', '--rm', ...everything('0'))));
  idle = await daemon.idle();
});
after(() => daemon[Symbol.asyncDispose]());

function succeed(...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

/** Options that make a container open as much as one can: ports, volumes, tmpfs, a network, an init. */
const everything = (mark: string): string[] => [
  '-p',
  '127.0.0.1::80',
  '-p',
  '127.0.0.1::80/udp',
  '-v',
  '/anonymous',
  '--tmpfs',
  '/scratch',
  '--ipc',
  'shareable',
  '--network',
  'own',
  '--memory',
  '32m',
  'busybox',
  'echo',
  mark,
];

async function assertNothingLeft(): Promise<void> {
  assert.equal(await succeed('ps', '-aq'), '');
  assert.equal(await succeed('volume', 'ls', '-q'), '');
  await daemon.assertIdle(idle);
}

test('100 times run --rm leaves nothing behind', async () => {
  for (let index = 0; index < 100; index += 1) {
    const plain = ['busybox', 'echo', String(index)];
    const args = index % 4 === 0 ? everything(String(index)) : plain;
    assert.equal(await succeed('run', '--rm', ...args), String(index));
  }
  await assertNothingLeft();
});

test('50 times run --rm at once leaves nothing behind', async () => {
  const outputs = await Promise.all(
    Array.from({ length: 50 }, (_, index) => succeed('run', '--rm', ...everything(String(index)))),
  );
  assert.deepEqual(
    outputs,
    Array.from({ length: 50 }, (_, index) => String(index)),
  );
  await assertNothingLeft();
});

test('50 that run at once, with execs and logs, are gone after rm -f', async () => {
  const names = Array.from({ length: 50 }, (_, index) => `c${index}`);
  await Promise.all(
    names.map((name) => succeed('run', '-d', '--name', name, '-p', '80', 'busybox', 'sleep', '1000')),
  );
  await Promise.all(
    names.slice(0, 20).map(async (name) => {
      assert.equal(await succeed('exec', name, 'echo', name), name);
      await succeed('logs', name);
      await succeed('top', name);
    }),
  );
  await succeed('rm', '-f', ...names);
  await assertNothingLeft();
});

test('what fails leaves nothing behind either', async () => {
  const failing = [
    ['busybox', 'no-such-program'],
    ['-p', '127.0.0.1:1:80', '-p', '127.0.0.1:1:81', 'busybox', 'true'],
    ['-v', '/anonymous', '--network', 'missing', 'busybox', 'true'],
    ['-v', '/anonymous', '-u', 'stranger', 'busybox', 'true'],
    ['--device', '/dev/missing', 'busybox', 'true'],
    ['--network', 'own', '--ip', '203.0.113.9', 'busybox', 'true'],
    ['--init', '-w', '/etc/passwd', 'busybox', 'true'],
  ];
  for (const args of failing) {
    for (let round = 0; round < 3; round += 1) {
      assert.notEqual((await daemon.docker(['run', '--rm', ...args])).code, 0, args.join(' '));
    }
  }
  await assertNothingLeft();
});

test('clients that are killed hold nothing, and what they asked for ends or runs on', async () => {
  const chatter = 'while :; do echo line; sleep 0.05; done';
  await succeed('run', '-d', '--name', 'talker', 'busybox', 'sh', '-c', chatter);
  await succeed('run', '-d', '--name', 'silent', 'busybox', 'sleep', '1000');
  const running = await daemon.idle();
  for (const name of ['talker', 'silent']) {
    const asked = [
      ['logs', '-f', name],
      ['attach', '--sig-proxy=false', name],
      ['exec', name, 'sleep', '2'],
      ['wait', name],
      ['events', '--filter', `container=${name}`],
    ];
    const killed = [...asked, ...asked].map((args) => daemon.docker(args, { timeout: 1000 }));
    for (const { status, reason } of (await Promise.allSettled(killed)) as PromiseRejectedResult[]) {
      assert.equal(status, 'rejected');
      assert.match(String(reason), /no end after 1000 ms/);
    }
  }
  await daemon.assertIdle(running);
  await succeed('rm', '-f', 'talker', 'silent');
  await assertNothingLeft();
});
