import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startFakeEngine } from '../../testing/fake-engine.ts';
import { run } from '../../testing/run-program.ts';

interface Case {
  readonly args: readonly string[];
  readonly target?: string;
  readonly body?: unknown;
  readonly code?: number;
  readonly error?: string;
}

/** Sets whose keys count although their values are empty. */
const sets = new Set(['Volumes', 'ExposedPorts', 'Tmpfs', 'EndpointsConfig', 'Labels', 'Annotations']);

/** Leaves out what is empty: engines treat it as not given. */
function strip(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, strip(item, name)] as const);
  return Object.fromEntries(sets.has(key) ? entries : entries.filter(([, item]) => !isEmpty(item)));
}

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0);

test("create and run send what docker's client sends and refuse what it refuses", async (suite) => {
  const path = new URL('../../../../test/golden/cli/create-requests.json', import.meta.url);
  const cases = JSON.parse(readFileSync(path, 'utf8')) as readonly Case[];
  await using engine = await startFakeEngine();
  engine.answer('POST /containers/create', { status: 500, message: 'recorded' });
  for (const { args, target = '', body, code, error } of cases) {
    await suite.test(args.join(' '), async () => {
      engine.requests.length = 0;
      const result = await run(args, { host: engine.host, name: 'docker' });
      const [request] = engine.requests;
      if (error !== undefined) {
        assert.equal(request, undefined);
        assert.equal(result.code, code);
        assert.ok(result.err.startsWith(error), result.err);
        return;
      }
      assert.ok(request, result.err);
      assert.deepEqual(request.query, Object.fromEntries(new URLSearchParams(target)));
      assert.deepEqual(strip(JSON.parse(request.body)), body);
    });
  }
});
