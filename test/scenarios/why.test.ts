import assert from 'node:assert/strict';
import { kill } from 'node:process';
import { after, before, test } from 'node:test';
import { answerOf, busyboxArchive, eventually, startDaemon, type Daemon } from '../setup/index.ts';

interface Explanation {
  readonly Container: string;
  readonly ExitCode: number | null;
  readonly Summary: string;
  readonly Try: readonly string[];
  readonly Facts: {
    readonly Signals?: readonly { readonly Signal: number; readonly By: string; readonly After?: number }[];
    readonly Memory?: { readonly Limit: number; readonly Peak: number };
    readonly StartFailure?: { readonly Problem: Readonly<Record<string, unknown>> };
  } | null;
}

let daemon: Daemon;

before(async () => {
  daemon = await startDaemon();
  await run('load', '-i', await busyboxArchive());
  // An image with entry points that cannot be run.
  const scripts = [
    `printf '#!/bin/sh\\r\\necho here\\r\\n' >/crlf.sh`,
    `printf '#!/usr/bin/python3\\nprint()\\n' >/python.sh`,
    `printf '#!/bin/sh\\necho here\\n' >/plain.sh`,
    'printf nothing >/text',
    // The head of a program for arm64.
    `printf '\\177ELF\\002\\001\\001\\000\\000\\000\\000\\000\\000\\000\\000\\000\\002\\000\\267\\000' >/arm`,
    'head -c 200 /dev/zero >>/arm',
    'chmod 755 /crlf.sh /python.sh /text /arm',
    'mkdir /folder',
  ];
  await run('run', '--name', 'maker', 'busybox', 'sh', '-c', scripts.join(' && '));
  await run('commit', 'maker', 'broken');
});

after(async () => daemon[Symbol.asyncDispose]());

function run(...args: string[]): Promise<string> {
  return answerOf(daemon.wharf, args);
}

async function why(name: string): Promise<Explanation> {
  return JSON.parse(await run('why', '--format', 'json', name)) as Explanation;
}

async function statusOf(name: string): Promise<string> {
  return run('inspect', '--format', '{{.State.Status}}', name);
}

test('a container that takes more than its --memory was killed by the kernel', async () => {
  const grow = 'echo growing; x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done';
  const { code } = await daemon.wharf([
    'run',
    '--name',
    'big',
    '--memory',
    '64m',
    'busybox',
    'sh',
    '-c',
    grow,
  ]);
  assert.equal(code, 137);
  const { Summary, Facts, Try } = await why('big');
  assert.match(Summary, /^big ran out of memory .* the kernel killed it \(its limit is 64MiB/);
  assert.equal(Facts?.Memory?.Limit, 64 << 20);
  assert.ok(Facts.Memory.Peak > 60 << 20);
  assert.ok(Try.some((fix) => fix.includes('--memory 128m')));
  assert.match(await run('why', 'big'), /Last lines of its log:\n {2}growing/);
});

test('who sent the signal is known', async () => {
  const deaf = ['busybox', 'sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'];
  for (const name of ['stopped', 'killed', 'outside']) await run('run', '-d', '--name', name, ...deaf);
  await run('stop', '-t', '0', 'stopped');
  await run('kill', 'killed');
  kill(Number(await run('inspect', '--format', '{{.State.Pid}}', 'outside')), 'SIGKILL');
  for (const name of ['stopped', 'killed', 'outside'])
    await eventually(async () => (await statusOf(name)) === 'exited');
  const stopped = await why('stopped');
  assert.match(
    stopped.Summary,
    /was killed .*asked the engine to stop it, and it had not ended 0 s after SIGTERM/,
  );
  assert.deepEqual(
    stopped.Facts?.Signals?.map(({ Signal, By, After }) => ({ Signal, By, After })),
    [
      { Signal: 15, By: 'stop', After: undefined },
      { Signal: 9, By: 'stop', After: 0 },
    ],
  );
  assert.match((await why('killed')).Summary, /by SIGKILL: a client asked the engine to send it the signal/);
  const outside = await run('why', 'outside');
  assert.match(outside, /128 \+ 9: SIGKILL/);
  assert.match(outside, /The engine did not send it/);
});

/** Program → what is found to be wrong with it, and the end of the command line's words. */
const broken: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
  [
    '/crlf.sh',
    { Kind: 'interpreter-missing', Program: '/crlf.sh', Interpreter: '/bin/sh', CarriageReturn: true },
    /Windows line ends \(CRLF\).* To mend it: .*sed -i/,
  ],
  [
    '/python.sh',
    {
      Kind: 'interpreter-missing',
      Program: '/python.sh',
      Interpreter: '/usr/bin/python3',
      CarriageReturn: false,
    },
    /asks for the interpreter \/usr\/bin\/python3/,
  ],
  ['/plain.sh', { Kind: 'not-executable', Program: '/plain.sh', Mode: 0o644 }, /its mode is 0644.*chmod \+x/],
  ['/text', { Kind: 'format', Program: '/text', Empty: false }, /neither a program nor a script/],
  ['/arm', { Kind: 'architecture', Program: '/arm', Found: 'arm64', Host: 'amd64' }, /a program for arm64/],
  ['/folder', { Kind: 'program-is-folder', Program: '/folder' }, /is a folder/],
  ['absent', { Kind: 'program-missing', Program: 'absent' }, /in none of the folders of the image's PATH/],
  ['/absent', { Kind: 'program-missing', Program: '/absent' }, /is not in the image/],
];

for (const [program, problem, words] of broken) {
  test(`a start of ${program} fails with its cause and its fix`, async () => {
    const name = `broken-${program.replaceAll(/\W/g, '')}`;
    const { code, stderr } = await daemon.wharf(['run', '--name', name, 'broken', program]);
    assert.ok([1, 126, 127].includes(code), `${code}: ${stderr}`);
    assert.match(stderr, words);
    const { Facts, Summary } = await why(name);
    assert.deepEqual(Facts?.StartFailure?.Problem, problem);
    assert.match(Summary, /could not be started: /);
    await run('rm', name);
  });
}

test('a port that is taken names who has it', async () => {
  await run('run', '-d', '--name', 'first', '-p', '18311:80', 'busybox', 'sleep', '1000');
  const { stderr } = await daemon.wharf([
    'run',
    '-d',
    '--name',
    'second',
    '-p',
    '18311:80',
    'busybox',
    'sleep',
    '1',
  ]);
  assert.match(stderr, /port 18311 of the host is taken by the container first/i);
  assert.deepEqual((await why('second')).Facts?.StartFailure?.Problem, {
    Kind: 'port-taken',
    Port: 18311,
    Container: 'first',
  });
  await run('rm', '-f', 'first', 'second');
});

test('an unknown user and a working directory that is none', async () => {
  await daemon.wharf(['run', '--name', 'user', '-u', 'nobody2', 'busybox', 'true']);
  assert.match((await why('user')).Summary, /user or group nobody2 is not in the image/);
  await daemon.wharf(['run', '--name', 'cwd', '-w', '/plain.sh/x', 'broken', 'true']);
  assert.match((await why('cwd')).Summary, /the working directory \/plain\.sh\/x cannot be entered/);
});

test('what runs, waits and ends by itself', async () => {
  await run('create', '--name', 'new', 'busybox', 'true');
  assert.match((await why('new')).Summary, /has never been started/);
  await run('run', '-d', '--name', 'up', 'busybox', 'sleep', '1000');
  assert.match((await why('up')).Summary, /^up runs\.$/);
  await run('pause', 'up');
  assert.match((await why('up')).Summary, /is paused/);
  await run('rm', '-f', 'up');
  const { code } = await daemon.wharf(['run', '--name', 'script', 'busybox', 'sh', '-c', 'absent']);
  assert.equal(code, 127);
  const text = await run('why', 'script');
  assert.match(text, /by itself with exit code 127/);
  assert.match(text, /absent: not found/);
  await run('run', '-d', '--name', 'loop', '--restart', 'always', 'busybox', 'sh', '-c', 'exit 1');
  await eventually(async () => (await why('loop')).Summary.includes('is started again'));
  await run('rm', '-f', 'loop');
  assert.equal(await run('why', '--format', '{{.ExitCode}} {{.Container}}', 'script'), '127 script');
});
