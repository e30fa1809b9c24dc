import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { BuildProgress } from './progress.ts';

test('transferred() tells of the first and the last amount, and of few between', async () => {
  const progress = new BuildProgress();
  await progress.during('load', (step) => {
    for (let bytes = 1; bytes <= 10_000; bytes += 1) step.transferred('transferring:', bytes);
    return Promise.resolve();
  });
  progress.end();
  const amounts = [];
  for await (const { statuses } of progress.stream(new AbortController().signal)) {
    amounts.push(...statuses.map(({ current }) => Number(current)));
  }
  assert.equal(amounts[0], 1);
  assert.equal(amounts.at(-1), 10_000);
  assert.ok(amounts.length < 100, String(amounts.length));
});

test('stream() leaves no listeners, however much is told', async () => {
  const progress = new BuildProgress();
  const { signal } = new AbortController();
  const told = progress.stream(signal);
  for (let n = 0; n < 100; n += 1) {
    const next = told.next();
    progress.tell({ vertexes: [{ digest: String(n) }] });
    await next;
  }
  assert.ok(getEventListeners(signal, 'abort').length <= 1);
});
