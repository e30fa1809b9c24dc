import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Bench } from '../testing/bench.ts';
import { signatureOf, type EndpointSettings } from './endpoint.ts';

interface Event {
  readonly id: string;
  readonly action: string;
  readonly target: Readonly<Record<string, unknown>>;
  readonly request: Readonly<Record<string, string>>;
  readonly actor: { readonly name?: string };
}

/** A receiver that refuses as often as it is told to. */
class Receiver implements AsyncDisposable {
  readonly events: Event[] = [];
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  failures = 0;
  readonly #server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      this.requests.push({ headers: request.headers, body });
      if (this.failures > 0) {
        this.failures -= 1;
        response.writeHead(503).end();
        return;
      }
      this.events.push(...(JSON.parse(body) as { events: Event[] }).events);
      response.end();
    });
  });

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/hook`;
  }

  /** Waits for so many events. */
  async got(count: number): Promise<readonly Event[]> {
    const end = Date.now() + 10_000;
    while (this.events.length < count) {
      assert.ok(Date.now() < end, `${this.events.length} of ${count} events came in`);
      await delay(5);
    }
    return this.events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const endpoint = (url: string, more: Partial<EndpointSettings> = {}): EndpointSettings => ({
  name: 'hook',
  url,
  actions: ['push', 'delete'],
  repositories: ['team/**'],
  timeoutMs: 2_000,
  giveUpAfterMs: 60_000,
  ...more,
});

test('pushes, pulls and deletions are told in the envelopes that docker-registry sends', async () => {
  await using receiver = new Receiver();
  const url = await receiver.start();
  const settings = endpoint(url, {
    actions: ['push', 'pull', 'delete'],
    secret: 'key',
    authorization: 'Bearer word',
  });
  await using bench = await Bench.start({ webhooks: [settings] });
  const digest = await bench.pushImage('team/app', 'v1', 'layer');
  await bench.pushImage('other', 'v1', 'layer');
  await bench.ask('HEAD', '/v2/team/app/manifests/v1');
  await bench.ask('GET', '/v2/team/app/manifests/v1');
  await bench.ask('DELETE', `/v2/team/app/manifests/${digest}`);
  const [push, pull, gone, untagged] = await receiver.got(4);
  assert.ok(push && pull && gone && untagged);
  // Field by field as docker-registry 2.8.2 sent them to a receiver.
  assert.deepEqual(Object.keys(push), ['id', 'timestamp', 'action', 'target', 'request', 'actor', 'source']);
  assert.deepEqual(Object.keys(push.target), [
    'mediaType',
    'size',
    'digest',
    'length',
    'repository',
    'url',
    'tag',
  ]);
  assert.deepEqual(Object.keys(push.request), ['id', 'addr', 'host', 'method', 'useragent']);
  assert.equal(push.target['url'], `${bench.base}/v2/team/app/manifests/${digest}`);
  assert.deepEqual([push.action, push.target['tag'], push.request['method']], ['push', 'v1', 'PUT']);
  assert.deepEqual([pull.action, pull.target['tag'], pull.request['method']], ['pull', 'v1', 'GET']);
  assert.deepEqual([gone.action, gone.target], ['delete', { digest, repository: 'team/app' }]);
  assert.deepEqual([untagged.action, untagged.target], ['delete', { repository: 'team/app', tag: 'v1' }]);
  assert.equal(new Set([push.id, pull.id, gone.id, untagged.id]).size, 4);
  for (const { headers, body } of receiver.requests) {
    assert.equal(headers['content-type'], 'application/vnd.docker.distribution.events.v1+json');
    assert.equal(headers.authorization, 'Bearer word');
    assert.equal(headers['x-hub-signature-256'], `sha256=${signatureOf('key', body)}`);
  }
});

test('what a receiver refuses comes again, later and in order, and after a restart', async () => {
  await using receiver = new Receiver();
  const url = await receiver.start();
  receiver.failures = 3;
  await using bench = await Bench.start({ webhooks: [endpoint(url)], firstPause: 10 });
  for (const tag of ['a', 'b', 'c']) await bench.pushImage('team/app', tag, tag);
  const first = await receiver.got(3);
  assert.deepEqual(
    first.map(({ target }) => target['tag']),
    ['a', 'b', 'c'],
  );
  assert.equal(receiver.requests.length, 6);
  receiver.failures = 1_000;
  await bench.pushImage('team/app', 'd', 'd');
  await bench.restart();
  receiver.failures = 0;
  const [last] = (await receiver.got(4)).slice(3);
  assert.equal(last?.target['tag'], 'd');
});

test('nothing is told of what was refused, and what cannot be told is dropped in the end', async () => {
  await using receiver = new Receiver();
  const url = await receiver.start();
  receiver.failures = 3;
  await using bench = await Bench.start({
    webhooks: [endpoint(url, { giveUpAfterMs: 25 })],
    firstPause: 10,
    quotas: [{ repositories: ['team/full'], size: 600 }],
  });
  await bench.pushImage('team/full', 'v1', 'x');
  const manifest = { annotations: { much: 'y'.repeat(500) } };
  await assert.rejects(bench.pushImage('team/full', 'v2', 'x', manifest));
  await bench.pushImage('team/app', 'v3', 'x');
  const events = await receiver.got(1);
  assert.deepEqual(
    events.map(({ target }) => target['tag']),
    ['v3'],
  );
  const { body } = await bench.server.metrics();
  assert.match(body, /notifications_total\{endpoint="hook",result="dropped"\} 1/);
  assert.match(body, /notifications_waiting\{endpoint="hook"\} 0/);
});

test('tags that retention rules remove are told of', async () => {
  await using receiver = new Receiver();
  await using bench = await Bench.start({
    webhooks: [endpoint(await receiver.start(), { actions: ['delete'] })],
    retention: [{ repositories: ['**'], tags: ['*'], keep: { last: 1 } }],
  });
  const digest = await bench.pushImage('team/app', 'a', 'a');
  await bench.pushImage('team/app', 'b', 'b');
  await bench.server.retain({ dryRun: false, graceMs: 0, repositories: [] });
  const events = await receiver.got(2);
  assert.deepEqual(
    events.map(({ target, actor }) => [target, actor]),
    [
      [{ repository: 'team/app', tag: 'a' }, { name: 'retention' }],
      [{ digest, repository: 'team/app' }, { name: 'retention' }],
    ],
  );
});
