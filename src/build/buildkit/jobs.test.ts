import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BuildJob } from './build-job.ts';
import { Jobs } from './jobs.ts';

// Jobs look at nothing but the reference.
const job = (ref: string): BuildJob => ({ ref }) as BuildJob;
const { signal } = new AbortController();

describe('Jobs', () => {
  it('get() waits for a job that is yet to come', async () => {
    const jobs = new Jobs();
    const found = jobs.get('a', signal);
    const one = job('a');
    using _live = jobs.add(one);
    assert.equal(await found, one);
  });

  it('get() finds a job that has just ended', async () => {
    const jobs = new Jobs();
    const one = job('a');
    jobs.add(one)[Symbol.dispose]();
    assert.equal(await jobs.get('a', signal), one);
    assert.throws(() => jobs.add(job('a')), /exists/);
  });

  it('get() rejects with the reason of an aborted signal', async () => {
    const abort = new AbortController();
    const found = new Jobs().get('a', abort.signal);
    abort.abort(new Error('gone'));
    await assert.rejects(found, /gone/);
  });
});
