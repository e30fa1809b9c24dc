import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { FakeEngine } from './testing/fake-engine.ts';
import { startFakeEngine } from './testing/fake-engine.ts';
import { run } from './testing/run-program.ts';

interface Golden {
  readonly now: number;
  readonly answers: Readonly<Record<string, unknown>>;
  readonly cases: readonly {
    readonly args: readonly string[];
    readonly code: number;
    readonly out: string;
    readonly err: string;
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/cli/lists.json', import.meta.url), 'utf8'),
) as Golden;

async function prepared(): Promise<FakeEngine> {
  const engine = await startFakeEngine();
  for (const [route, json] of Object.entries(golden.answers)) engine.answer(route, { json });
  engine.answer('GET /containers/nope/json', {
    status: 404,
    message: 'No such thing: /containers/nope/json',
  });
  return engine;
}

test('the lists print what docker prints for the same answers', async (suite) => {
  process.env['TZ'] = 'UTC';
  await using engine = await prepared();
  for (const { args, code, out, err } of golden.cases) {
    await suite.test(`docker ${args.join(' ')}`, async () => {
      const got = await run(args, { host: engine.host, now: golden.now, name: 'docker' });
      assert.equal(got.err, err);
      assert.equal(got.out, out);
      assert.equal(got.code, code);
    });
  }
});
