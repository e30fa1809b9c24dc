import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Jobs } from './jobs.ts';

const job = (ref: string): { readonly ref: string } => ({ ref });
const { signal } = new AbortController();

describe('Jobs', () => {
  it('get() waits for a job that is yet to come', async () => {
    const jobs = new Jobs<{ readonly ref: string }>();
    const found = jobs.get('a', signal);
    const one = job('a');
    using _live = jobs.add(one);
    assert.equal(await found, one);
  });

  it('get() finds a job that has just ended', async () => {
    const jobs = new Jobs<{ readonly ref: string }>();
    const one = job('a');
    jobs.add(one)[Symbol.dispose]();
    assert.equal(await jobs.get('a', signal), one);
    assert.throws(() => jobs.add(job('a')), /exists/);
  });

  it('get() rejects with the reason of an aborted signal', async () => {
    const abort = new AbortController();
    const found = new Jobs<{ readonly ref: string }>().get('a', abort.signal);
    abort.abort(new Error('gone'));
    await assert.rejects(found, /gone/);
  });
});
