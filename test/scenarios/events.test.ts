import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { loadImages } from '../parity/images.ts';
import { startDaemon, type Daemon } from '../setup/index.ts';
import { Engine } from './events/engine.ts';
import type { PlainEvent } from './events/normalise.ts';
import { play } from './events/play.ts';
import { scenes } from './events/scenes.ts';

/** Scene → events in order, as the reference engine (28.5) told them; events/record.ts records it. */
const golden = JSON.parse(
  readFileSync(new URL('../golden/events/scenes.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, readonly PlainEvent[]>>;

let daemon: Daemon;
let engine: Engine;

before(async () => {
  daemon = await startDaemon();
  engine = new Engine(daemon.socket);
  await loadImages(daemon.socket);
});

after(async () => daemon[Symbol.asyncDispose]());

/** Differences, with their causes. */
const differences: Readonly<Record<string, (event: PlainEvent) => boolean>> = {
  // Ours tells of a connection when it is made, and so before the program turns out to be missing.
  'run of a missing program': isConnect,
  'run --rm of a missing program': isConnect,
};

function isConnect({ Type, Action }: PlainEvent): boolean {
  return Type === 'network' && Action === 'connect';
}

const lines = (events: readonly PlainEvent[]): string[] =>
  events.map(({ Type, Action, ID, Attributes }) => `${Type} ${Action} ${ID} ${JSON.stringify(Attributes)}`);

for (const scene of scenes) {
  test(`events of ${scene.name} come in the reference's order`, async () => {
    const expected = golden[scene.name];
    assert.ok(expected, 'it was never recorded');
    const different = differences[scene.name] ?? (() => false);
    const events = (await play(engine, scene)).filter((event) => !different(event));
    assert.deepEqual(lines(events), lines(expected));
  });
}

interface Told {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
  readonly timeNano: number;
  readonly time: number;
}

async function replay(
  span: string,
  filters: Readonly<Record<string, readonly string[]>> = {},
): Promise<string> {
  const query = `${span}&filters=${encodeURIComponent(JSON.stringify(filters))}`;
  return engine.call('GET', `/events?${query}`);
}

/** `Type Action name` of each. */
function plain(body: string): string[] {
  const lines = body.split('\n').filter((line) => line !== '');
  return lines
    .map((line) => JSON.parse(line) as Told)
    .map(({ Type, Action, Actor }) => `${Type} ${Action} ${Actor.Attributes['name'] ?? ''}`);
}

test('events of the past pass filters as the reference lets them pass', async () => {
  // The last event before is in a millisecond of its own.
  await delay(3);
  const since = Date.now() / 1000;
  await engine.call('POST', '/networks/create', { Name: 'looper', Driver: 'bridge' });
  await engine.create('loop1', { Cmd: ['sleep', '100'], Labels: { a: 'b' } });
  await engine.call('POST', '/containers/loop1/start');
  await engine.create('other', { Cmd: ['true'] });
  await engine.call('DELETE', '/containers/other');
  await engine.call('POST', '/volumes/create', { Name: 'loopvol' });
  await engine.call('DELETE', '/containers/loop1?force=1');
  await engine.call('DELETE', '/networks/looper');
  await engine.call('DELETE', '/volumes/loopvol');
  // Date.now() drops a part of a millisecond, and the engine may be two ahead of it.
  const span = `since=${since.toFixed(3)}&until=${((Date.now() + 3) / 1000).toFixed(9)}`;
  const loop = ['create', 'start', 'kill', 'die', 'destroy'].map((action) => `container ${action} loop1`);
  const bearers = [
    'network create looper',
    ...loop.slice(0, 2),
    'volume create ',
    ...loop.slice(2),
    'network destroy looper',
    'volume destroy ',
  ];
  const passing = async (filters: Parameters<typeof replay>[1]): Promise<string[]> =>
    plain(await replay(span, filters));
  for (const type of ['container', 'network', 'volume']) {
    assert.deepEqual(await passing({ [type]: ['loo'] }), bearers, type);
  }
  assert.deepEqual(await passing({ label: ['a'] }), loop);
  assert.deepEqual(await passing({ label: ['a=b'], event: ['die'] }), ['container die loop1']);
  assert.deepEqual(await passing({ label: ['a=c'] }), []);
  assert.deepEqual(await passing({ image: ['busybox'], event: ['create', 'destroy'] }), [
    'container create loop1',
    'container create other',
    'container destroy other',
    'container destroy loop1',
  ]);
  assert.deepEqual(await passing({ image: ['busybox:latest'] }), []);
  assert.deepEqual(await passing({ type: ['volume'] }), ['volume create ', 'volume destroy ']);
  assert.deepEqual(await passing({ scope: ['swarm'] }), []);
  assert.deepEqual(await passing({ scope: ['local'], daemon: ['x'] }), []);
  assert.equal((await passing({ bogus: ['1'] })).length, (await passing({})).length);
});

test('since and until cut to the nanosecond', async () => {
  for (const tag of ['1', '2', '3'])
    await engine.call('POST', `/images/busybox/tag?repo=evt-time&tag=${tag}`);
  const all = (await replay(`since=0&until=${Date.now() / 1000 + 0.001}`, { event: ['tag'] })).trim();
  const [, second = ''] = all.split('\n').slice(-3);
  const at = /"timeNano":(\d+)/.exec(second)?.[1] ?? '';
  const time = `${at.slice(0, -9)}.${at.slice(-9)}`;
  const found = await replay(`since=${time}&until=${time}`);
  assert.deepEqual(plain(found), ['image tag evt-time:2']);
  for (const tag of ['1', '2', '3']) await engine.call('DELETE', `/images/evt-time:${tag}`);
});
