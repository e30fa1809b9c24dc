import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createApiServer } from './api-server.ts';
import { fakeEngine, fakeNetwork } from './fake/backends.ts';

/**
 * Requests with the answers that the reference engine (28.5, API 1.51) gave. RECORD_FROM=<its socket> records anew.
 * `status` in a request says where this server answers with another one: what the client did wrong is never 500.
 */
interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly type?: string;
  readonly status?: number;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

const folder = new URL('../../../test/golden/api/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
// Written by hand and by record() in these shapes.
const requests = JSON.parse(read('requests.json')) as readonly Request[];

const compared = [
  'content-type',
  'builder-version',
  'cache-control',
  'pragma',
  'swarm',
  'ostype',
  'api-version',
];

async function ask(socketPath: string, { method, path, body, type }: Request): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const headers = {
    ...(type !== undefined && { 'Content-Type': type }),
    ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
  };
  const outgoing = request({ socketPath, method, path, headers, agent: false }, (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const seen = compared.map((name) => [name, incoming.headers[name] as string | undefined]);
      const found = {
        status: incoming.statusCode ?? 0,
        headers: Object.fromEntries(seen) as Answer['headers'],
      };
      resolve({ ...found, body: Buffer.concat(chunks).toString() });
    });
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

const recordFrom = process.env['RECORD_FROM'];

if (recordFrom !== undefined) {
  const answers: Answer[] = [];
  for (const one of requests) answers.push(await ask(recordFrom, one));
  writeFileSync(new URL('answers.json', folder), `${JSON.stringify(answers, null, 1)}\n`);
}

const answers = JSON.parse(read('answers.json')) as readonly Answer[];

const place = mkdtempSync(join(tmpdir(), 'api-golden-'));
const socketPath = join(place, 's');
const engine = fakeEngine();
engine.networks.push(fakeNetwork());
const server = createApiServer({ backends: engine.backends, engineVersion: '28.5.2', maxApiVersion: '1.51' });

before(async () => {
  await server.listen({ path: socketPath });
});

after(async () => {
  await server.close();
  rmSync(place, { recursive: true });
});

for (const [index, one] of requests.entries()) {
  const { method, path, body, type } = one;
  const title = `${method} ${decodeURIComponent(path)} ${type ?? ''} ${body ?? ''}`.trim();
  test(`${title} is answered as the reference engine does`, async () => {
    const expected = answers[index];
    assert.ok(expected);
    const found = await ask(socketPath, one);
    const headers = Object.fromEntries(
      Object.entries(found.headers).filter(([, value]) => value !== undefined),
    );
    assert.deepEqual(
      { ...found, headers },
      { ...expected, ...(one.status !== undefined && { status: one.status }) },
    );
  });
}
