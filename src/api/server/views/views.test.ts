import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerRecord } from '#containers';
import { fakeContainer } from '../fake/backends.ts';
import { statusText, viewState } from './container-state.ts';
import { SummaryTexts } from './container-summary.ts';
import { humanDuration } from './human-duration.ts';
import { frame, logFrames } from './log-frames.ts';
import { viewProgress } from './progress.ts';

const seconds = (count: number): bigint => BigInt(count) * 1_000_000_000n;

for (const [count, text] of [
  [0, 'Less than a second'],
  [1, '1 second'],
  [59, '59 seconds'],
  [60, 'About a minute'],
  [120, '2 minutes'],
  [3599, '59 minutes'],
  [3600, 'About an hour'],
  [3600 * 1.5, '2 hours'],
  [3600 * 47, '47 hours'],
  [3600 * 48, '2 days'],
  [3600 * 24 * 13, '13 days'],
  [3600 * 24 * 14, '2 weeks'],
  [3600 * 24 * 60, '2 months'],
  [3600 * 24 * 365, '12 months'],
  [3600 * 24 * 365 * 2, '2 years'],
] as const) {
  test(`humanDuration() says ${text} for ${count} seconds`, () => {
    assert.equal(humanDuration(seconds(count)), text);
  });
}

const exited = {
  status: 'exited',
  exitCode: 137,
  startedAt: seconds(10),
  finishedAt: seconds(20),
  oomKilled: true,
} as const;

const states: readonly (readonly [
  state: ContainerRecord['state'],
  text: string,
  wire: Readonly<Record<string, unknown>>,
])[] = [
  [{ status: 'created' }, 'Created', { Status: 'created', Running: false, ExitCode: 0 }],
  [
    { status: 'created', failure: { message: 'no', exitCode: 127 } },
    'Created',
    { Status: 'created', ExitCode: 127, Error: 'no' },
  ],
  [
    { status: 'running', pid: 7, startedAt: seconds(10), paused: false },
    'Up 15 seconds',
    { Status: 'running', Running: true, Paused: false, Pid: 7, StartedAt: '1970-01-01T00:00:10Z' },
  ],
  [
    { status: 'running', pid: 7, startedAt: seconds(10), paused: true },
    'Up 15 seconds (Paused)',
    { Status: 'paused', Running: true, Paused: true },
  ],
  [
    exited,
    'Exited (137) 5 seconds ago',
    { Status: 'exited', Running: false, OOMKilled: true, ExitCode: 137, FinishedAt: '1970-01-01T00:00:20Z' },
  ],
  [
    { ...exited, exitCode: undefined, error: 'exit code unknown' },
    'Exited (255) 5 seconds ago',
    { ExitCode: 255, Error: 'exit code unknown' },
  ],
  [
    { status: 'restarting', last: exited, restartAt: seconds(30) },
    'Restarting (137) 5 seconds ago',
    { Status: 'restarting', Running: true, Restarting: true, Pid: 0, ExitCode: 137 },
  ],
  [{ status: 'removing', last: undefined }, 'Removal In Progress', { Status: 'removing' }],
  [{ status: 'dead', last: exited }, 'Dead', { Status: 'dead', Dead: true, ExitCode: 137 }],
];

for (const [state, text, wire] of states) {
  test(`statusText() and viewState() show ${text}`, () => {
    const record = fakeContainer({ state });
    assert.equal(statusText(record, seconds(25)), text);
    const view: Readonly<Record<string, unknown>> = { ...viewState(record) };
    for (const [field, value] of Object.entries(wire)) assert.equal(view[field], value, field);
  });
}

test('statusText() tells the health of a running container', () => {
  const health = { status: 'starting', failingStreak: 0, log: [] } as const;
  const record = fakeContainer({
    state: { status: 'running', pid: 1, startedAt: 0n, paused: false },
    health,
  });
  assert.equal(statusText(record, seconds(2)), 'Up 2 seconds (health: starting)');
  const healthy = { ...record, health: { ...health, status: 'healthy' } } as const;
  assert.equal(statusText(healthy, seconds(2)), 'Up 2 seconds (healthy)');
});

test('SummaryTexts keeps an entry until its status text changes', () => {
  const texts = new SummaryTexts();
  const record = fakeContainer({ state: { status: 'running', pid: 1, startedAt: 0n, paused: false } });
  const facts = { live: undefined, networkIds: () => undefined, imageNameHolds: true };
  const first = texts.get(record, { ...facts, now: seconds(120) }, undefined);
  assert.equal(texts.get(record, { ...facts, now: seconds(130) }, undefined), first);
  assert.match(texts.get(record, { ...facts, now: seconds(180) }, undefined), /"Up 3 minutes"/);
  const older = { key: '1.51', lower: () => ({ old: true }) };
  assert.equal(texts.get(record, { ...facts, now: seconds(180) }, older), '{"old":true}');
});

test('frame() puts stream and length before the payload', () => {
  assert.deepEqual([...frame('stdout', Buffer.from('hi\n'))], [1, 0, 0, 0, 0, 0, 0, 3, 0x68, 0x69, 0x0a]);
  assert.equal(frame('stderr', new Uint8Array())[0], 2);
});

test('logFrames() adds times with nine digits, and details', async () => {
  async function* records(): Parameters<typeof logFrames>[0] extends AsyncIterable<infer T>
    ? AsyncGenerator<T>
    : never {
    const record = { stream: 'stdout' as const, time: 1_500_000_000n, bytes: Buffer.from('x\n') };
    yield await Promise.resolve([{ ...record, partial: false, attrs: { b: 'a b', a: '1' } }]);
  }
  const text = async (format: Partial<Parameters<typeof logFrames>[1]>): Promise<string> => {
    const chunks = await Array.fromAsync(
      logFrames(records(), { tty: true, timestamps: false, details: false, ...format }),
    );
    return Buffer.concat(chunks).toString();
  };
  assert.equal(await text({}), 'x\n');
  assert.equal(await text({ timestamps: true }), '1970-01-01T00:00:01.500000000Z x\n');
  assert.equal(
    await text({ timestamps: true, details: true }),
    '1970-01-01T00:00:01.500000000Z a=1,b=a+b x\n',
  );
});

test('viewProgress() draws the bar that simple clients print', () => {
  assert.deepEqual(viewProgress({ id: 'abc', status: 'Downloading', current: 500_000, total: 1_000_000 }), {
    status: 'Downloading',
    progressDetail: { current: 500_000, total: 1_000_000 },
    progress: `[${'='.repeat(25)}>${' '.repeat(24)}]    500kB/1MB`,
    id: 'abc',
  });
  assert.deepEqual(viewProgress({ status: 'Pulling from x', id: '1' }), {
    status: 'Pulling from x',
    progressDetail: {},
    id: '1',
  });
  assert.deepEqual(viewProgress({ stream: 'Loaded image: x\n' }), { stream: 'Loaded image: x\n' });
});
