import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerInspectResponse, ContainerState, HostConfig, WharfFacts } from '#api/types';
import { explain } from './explain.ts';
import { renderExplanation } from './explanation.ts';
import { problemOfMessage } from './start-problem.ts';

const now = Date.parse('2026-01-02T03:10:00Z');
const at = '2026-01-02T03:05:00.000000000Z';

interface Given {
  readonly state?: Partial<ContainerState>;
  readonly wharf?: WharfFacts;
  readonly host?: HostConfig;
  readonly restarts?: number;
  readonly path?: string;
  readonly log?: readonly string[];
}

function why({ state, wharf, host, restarts = 0, path = '/app', log = [] }: Given): string {
  const container = {
    Id: 'c'.repeat(64),
    Name: '/web',
    Path: path,
    RestartCount: restarts,
    Config: { Image: 'app:1', Healthcheck: { Test: ['CMD-SHELL', 'curl -f localhost'] } },
    HostConfig: { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 }, ...host },
    State: { Status: 'exited', ExitCode: 0, Error: '', StartedAt: at, FinishedAt: at, ...state },
    ...(wharf && { Wharf: wharf }),
  };
  // As much of an inspection as is looked at.
  const inspected = container as unknown as ContainerInspectResponse;
  return renderExplanation(explain(inspected, { program: 'wharf', log, now }));
}

const sent = (Signal: number, By: 'stop' | 'kill' | 'unhealthy' | 'remove', After?: number): WharfFacts => ({
  Signals: [
    ...(After === undefined ? [] : [{ Signal: 15, By, At: at }]),
    { Signal, By, ...(After !== undefined && { After }), At: at },
  ],
});

const cases: readonly [string, Given, readonly RegExp[]][] = [
  ['an end without failure', {}, [/^web ended 5 minutes ago by itself, and well/]],
  [
    'a memory limit',
    {
      state: { ExitCode: 137, OOMKilled: true },
      wharf: { Memory: { Limit: 67_108_864, Peak: 67_104_768 } },
      log: ['allocating'],
    },
    [
      /ran out of memory 5 minutes ago: the kernel killed it \(its limit is 64MiB, the most it used was 64MiB\)/,
      /wharf update --memory 128m --memory-swap 128m web/,
      /Last lines of its log:\n {2}allocating/,
    ],
  ],
  [
    'a memory limit that another engine tells of',
    { state: { ExitCode: 137, OOMKilled: true }, host: { Memory: 67_108_864 } },
    [/its limit is 64MiB\)/],
  ],
  [
    'a stop that was followed',
    { state: { ExitCode: 143 }, wharf: sent(15, 'stop') },
    [/was ended 5 minutes ago by SIGTERM: a client asked the engine to stop it/, /128 \+ 15/],
  ],
  [
    'a stop that was handled',
    { state: { ExitCode: 0 }, wharf: sent(15, 'stop') },
    [/by SIGTERM/, /handled the signal and ended with exit code 0/],
  ],
  [
    'a stop that a shell did not pass on',
    { state: { ExitCode: 137 }, wharf: sent(9, 'stop', 10), path: '/bin/sh' },
    [/was killed .* it had not ended 10 s after SIGTERM/, /begin its line in the shell with exec/],
  ],
  [
    'a forced removal that failed',
    { state: { ExitCode: 137 }, wharf: sent(9, 'remove') },
    [/asked the engine to remove it by force/],
  ],
  [
    'a signal from elsewhere',
    { state: { ExitCode: 137 }, wharf: { Memory: {} } },
    [/128 \+ 9: SIGKILL/, /The engine did not send it/],
  ],
  [
    'a signal under another engine',
    { state: { ExitCode: 143 } },
    [/128 \+ 15: SIGTERM/, /This engine does not say who sent it/],
  ],
  ['a crash', { state: { ExitCode: 139 } }, [/SIGSEGV; it touched memory that is not its own/]],
  [
    'a kill that was survived before a failure',
    { state: { ExitCode: 3 }, wharf: sent(10, 'kill') },
    [/by itself with exit code 3, a code of its own/],
  ],
  [
    'a missing command in a script',
    { state: { ExitCode: 127 }, log: ['sh: foo: not found'] },
    [/by itself with exit code 127: the code of a shell/, /sh: foo: not found/, /not in the image/],
  ],
  [
    'an unknown end',
    { state: { ExitCode: 255, Error: 'exit code unknown: the supervisor was killed' } },
    [/how is not known/, /Exit code unknown: the supervisor was killed\./],
  ],
  [
    'retries that are used up',
    {
      state: { ExitCode: 1 },
      restarts: 3,
      host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
    },
    [/restarted 3 times, as often as its policy on-failure:3 allows/],
  ],
  [
    'a person over a policy',
    {
      state: { ExitCode: 143 },
      wharf: sent(15, 'stop'),
      host: { RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 0 } },
    },
    [/its policy unless-stopped lets it rest until somebody starts it/],
  ],
  [
    'a loop of restarts',
    {
      state: { Status: 'restarting', ExitCode: 1 },
      restarts: 7,
      host: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } },
      wharf: { Restart: { Next: '2026-01-02T03:10:06.400000000Z', Cause: 'policy' } },
    },
    [
      /and is started again in 6\.4 s by its policy \(always\)/,
      /Restart number 8/,
      /update --restart no web/,
    ],
  ],
  [
    'a restart for its health',
    {
      state: { Status: 'restarting', ExitCode: 143 },
      wharf: { ...sent(15, 'unhealthy'), Restart: { Next: at, Cause: 'unhealthy' } },
    },
    [/the engine restarted it, since it was unhealthy, and is started again at any moment/],
  ],
  ['a pause', { state: { Status: 'paused' } }, [/^web is paused/, /wharf unpause web/]],
  ['a running one', { state: { Status: 'running' }, restarts: 2 }, [/^web runs\./, /restarted 2 times/]],
  [
    'a lost health',
    {
      state: {
        Status: 'running',
        Health: {
          Status: 'unhealthy',
          FailingStreak: 3,
          Log: [{ Start: at, End: at, ExitCode: 7, Output: 'curl: (7) refused\n' }],
        },
      },
    },
    [/unhealthy: its last 3 checks failed/, /ended with 7:\n {4}curl: \(7\) refused/, /exec web curl/],
  ],
  ['one never started', { state: { Status: 'created' } }, [/has never been started/]],
];

for (const [title, given, expected] of cases) {
  test(`explain() tells of ${title}`, () => {
    const text = why(given);
    for (const pattern of expected) assert.match(text, pattern);
  });
}

const failures: readonly [string, RegExp][] = [
  [
    'failed to create task for container: OCI runtime create failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory',
    /could not be started: the program \/nope is not in the image/,
  ],
  [
    'exec: "nope": executable file not found in $PATH',
    /the program nope is in none of the folders of the image's PATH/,
  ],
  [
    'failed to set up container networking: driver failed programming external connectivity on endpoint web (abc): Bind for 0.0.0.0:8080 failed: port is already allocated (by container db)',
    /port 8080 of the host is taken by the container db/,
  ],
  [
    'driver failed programming external connectivity on endpoint web (abc): failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use: port 8080 is held by nginx (pid 77)',
    /port 8080 of the host is taken by the process nginx \(pid 77\)/,
  ],
  ['unable to find user nobody2: no matching entries in passwd file', /user or group nobody2/],
];

for (const [message, expected] of failures) {
  test(`problemOfMessage() finds ${JSON.stringify(problemOfMessage(message))}`, () => {
    assert.match(why({ state: { Status: 'created', Error: message, ExitCode: 127 } }), expected);
  });
}

test('explain() tells of Windows line ends', () => {
  const Problem = {
    Kind: 'interpreter-missing',
    Program: '/entrypoint.sh',
    Interpreter: '/bin/sh',
    CarriageReturn: true,
  } as const;
  const text = why({
    state: { Status: 'created', ExitCode: 127 },
    wharf: { StartFailure: { At: at, Message: 'exec: "/entrypoint.sh": no such file', Problem } },
  });
  assert.match(text, /Windows line ends \(CRLF\)/);
  assert.match(text, /sed -i/);
});
