import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { busyboxArchive, startDaemon, type Daemon } from '../setup/index.ts';
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
  await engine.load(await busyboxArchive());
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
