import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createApiServer } from '../api-server.ts';
import { fakeContainer, fakeEngine } from '../fake/backends.ts';

for (const [query, samples] of [
  ['stream=false', 1],
  ['stream=true', 2],
] as const) {
  test(`stats with ${query} gives up its source when it has answered`, async (t) => {
    const engine = fakeEngine();
    const reading = { record: fakeContainer(), sample: undefined, previous: undefined };
    let open = 0;
    engine.override({
      async *stats() {
        open += 1;
        try {
          yield await Promise.resolve(reading);
          yield reading;
        } finally {
          open -= 1;
        }
      },
    });
    const folder = mkdtempSync(join(tmpdir(), 'stats-'));
    t.after(() => rmSync(folder, { recursive: true }));
    await using server = createApiServer({ backends: engine.backends, engineVersion: '1' });
    const socketPath = join(folder, 's');
    await server.listen({ path: socketPath });
    const request = get({ socketPath, path: `/containers/web/stats?${query}`, agent: false });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal(answer.statusCode, 200);
    assert.equal((await text(answer)).match(/\n/g)?.length, samples);
    assert.equal(open, 0);
  });
}
