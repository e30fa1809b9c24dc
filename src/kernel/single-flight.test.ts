import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SingleFlight } from './single-flight.ts';

test('run() shares one task among its callers, and one who leaves does not stop it', async () => {
  const flights = new SingleFlight<number>();
  const gate = Promise.withResolvers<number>();
  let runs = 0;
  const task = (): Promise<number> => {
    runs += 1;
    return gate.promise;
  };
  const leaving = new AbortController();
  const staying = new AbortController().signal;
  const first = flights.run('a', task, leaving.signal);
  const second = flights.run('a', task, staying);
  await Promise.resolve();
  leaving.abort(new Error('left'));
  await assert.rejects(first, /left/);
  gate.resolve(1);
  assert.equal(await second, 1);
  assert.equal(runs, 1);
});

test('run() whose last caller leaves ends when the task has; the next caller has a run of their own', async () => {
  const flights = new SingleFlight<string>();
  const log: string[] = [];
  const abort = new AbortController();
  const tidied = Promise.withResolvers<undefined>();
  const first = flights.run(
    'a',
    async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await tidied.promise;
      log.push('tidied');
      throw signal.reason;
    },
    abort.signal,
  );
  await Promise.resolve();
  abort.abort(new Error('stop'));
  const ended = assert.rejects(first, /stop/).then(() => log.push('ended'));
  await new Promise(setImmediate);
  const second = flights.run('a', () => Promise.resolve('second'), new AbortController().signal);
  await new Promise(setImmediate);
  assert.deepEqual(log, []);
  tidied.resolve(undefined);
  await ended;
  assert.deepEqual(log, ['tidied', 'ended']);
  assert.equal(await second, 'second');
});

test('run() tells a failure to all, also one that the task throws at once', async () => {
  const flights = new SingleFlight<number>();
  const task = (): Promise<number> => {
    throw new Error('broken');
  };
  const results = await Promise.allSettled([flights.run('a', task), flights.run('a', task)]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await flights.run('a', () => Promise.resolve(1)), 1);
});
