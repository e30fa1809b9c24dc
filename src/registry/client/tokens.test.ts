import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text } from 'node:stream/consumers';
import { digestOf } from '#oci';
import { createRegistryClient, type RegistryClient } from './index.ts';
import { FakeRegistry, sendError } from './testing/fake-registry.ts';

const never = { signal: new AbortController().signal };
const patience = { stallTimeout: 500, firstDelay: 1, longestDelay: 50, connectTimeout: 2_000 };
const bob = { username: 'bob', password: 'secret' };

const open = (): RegistryClient =>
  createRegistryClient({ mirrors: [], insecureRegistries: [], userAgent: 'wharf/test', patience });

interface Asked {
  readonly method: string;
  /** The query of a GET, the form of a POST. */
  readonly parameters: URLSearchParams;
  readonly authorization: string | undefined;
}

/** Gives tokens to all; `known` are the methods of its token server. */
function giveTokens(registry: FakeRegistry, known: readonly string[], answer: object): readonly Asked[] {
  const asked: Asked[] = [];
  registry.intercept = async (request, response, url) => {
    if (url.pathname !== '/token') {
      if (request.headers.authorization === 'Bearer good') return false;
      const challenge = `Bearer realm="http://${registry.host}/token",service="the service"`;
      return sendError(response, 401, 'UNAUTHORIZED', 'no', { 'www-authenticate': challenge });
    }
    const { method = '' } = request;
    const parameters = method === 'POST' ? new URLSearchParams(await text(request)) : url.searchParams;
    asked.push({ method, parameters, authorization: request.headers.authorization });
    response.writeHead(known.includes(method) ? 200 : 405).end(JSON.stringify(answer));
    return true;
  };
  return asked;
}

test('a token is asked for with the account, the service and the scope', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  registry.addImage('a', '1', Buffer.from('x'));
  const asked = giveTokens(registry, ['GET'], { token: 'good', expires_in: 300 });
  const repository = client.repository(`${registry.host}/a`, bob, 'pull');
  await Promise.all([repository.fetchManifest('1', never), repository.hasBlob(digestOf('x'), never)]);
  assert.equal(asked.length, 1);
  assert.deepEqual(Object.fromEntries(asked[0]?.parameters ?? []), {
    account: 'bob',
    scope: 'repository:a:pull',
    service: 'the service',
  });
  assert.match(asked[0]?.authorization ?? '', /^Basic /);
});

test('a keeper of credentials gets the tokens, and tells them only to a registry without any', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  registry.addImage('a', '1', Buffer.from('x'));
  const asked = giveTokens(registry, ['GET'], { token: 'good' });
  const requests: unknown[] = [];
  let revealed = 0;
  const keeper = {
    id: 'one',
    fetchToken: (request: object) => {
      requests.push(request);
      return Promise.resolve({ token: 'good', seconds: 0 });
    },
    reveal: () => {
      revealed += 1;
      return Promise.resolve(bob);
    },
  };
  const repository = client.repository(`${registry.host}/a`, { keeper }, 'pull');
  await Promise.all([repository.fetchManifest('1', never), repository.hasBlob(digestOf('x'), never)]);
  const realm = `http://${registry.host}/token`;
  assert.deepEqual(requests, [{ realm, service: 'the service', scopes: ['repository:a:pull'] }]);
  assert.equal(revealed + asked.length, 0);
});

test('a mount asks for both repositories at once', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const { layer } = registry.addImage('a', '1', Buffer.from('x'));
  const asked = giveTokens(registry, ['GET'], { token: 'good' });
  const repository = client.repository(`${registry.host}/b`, bob, 'push,pull');
  assert.equal(await repository.mountBlob(layer.digest, `${registry.host}/a`, never), true);
  assert.deepEqual(asked[0]?.parameters.getAll('scope'), ['repository:b:push,pull', 'repository:a:pull']);
});

test('a token server of OAuth 2 alone gets the password by POST, and an identity token is exchanged there', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  registry.addImage('a', '1', Buffer.from('x'));
  const asked = giveTokens(registry, ['POST'], { access_token: 'good', refresh_token: 'identity' });
  assert.equal(await client.login(registry.host, bob, never), 'identity');
  assert.deepEqual(Object.fromEntries(asked[1]?.parameters ?? []), {
    grant_type: 'password',
    username: 'bob',
    password: 'secret',
    access_type: 'offline',
    service: 'the service',
    client_id: 'docker',
  });
  assert.equal(asked[0]?.parameters.get('offline_token'), 'true');
  const repository = client.repository(`${registry.host}/a`, { identitytoken: 'identity' }, 'pull');
  await repository.fetchManifest('1', never);
  assert.deepEqual(Object.fromEntries(asked[2]?.parameters ?? []), {
    grant_type: 'refresh_token',
    refresh_token: 'identity',
    service: 'the service',
    client_id: 'docker',
    scope: 'repository:a:pull',
  });
});

test('no failure holds a password or a token', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  giveTokens(registry, [], {});
  for (const auth of [bob, { identitytoken: 'secret' }, { registrytoken: 'secret' }]) {
    const failure: unknown = await client
      .repository(`${registry.host}/a`, auth, 'pull')
      .fetchManifest('1', never)
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    assert.ok(failure instanceof Error);
    assert.doesNotMatch(`${failure.message} ${failure.stack ?? ''} ${String(failure.cause)}`, /secret/);
  }
});
