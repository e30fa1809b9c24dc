import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createPlain, type IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRegistryClient } from './index.ts';
import { Tokens } from './tokens.ts';
import { Transport } from './transport.ts';
import { unverified, verified } from './trust.ts';

const { signal } = new AbortController();
const options = { userAgent: 'wharf/test', connectTimeout: 2_000, stallTimeout: 2_000, keepAlive: 1_000 };

/** A TLS server that nobody vouches for; answers every path by redirecting or with `{}`. */
async function selfSigned(
  redirect?: () => string,
): Promise<AsyncDisposable & { readonly host: string; readonly server: Server }> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  const server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (_, response) => {
    if (redirect) response.writeHead(302, { location: redirect() });
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true });
    },
  };
}

test('send() refuses a certificate that nobody vouches for, unless it may not verify', async () => {
  await using server = await selfSigned();
  await using transport = new Transport(options);
  const url = new URL(`https://${server.host}/v2/`);
  await assert.rejects(transport.send({ method: 'GET', url, signal, trust: verified }), {
    message: `Get "${url.href}": tls: failed to verify certificate: x509: certificate signed by unknown authority (put the authority's certificate into /etc/docker/certs.d/${server.host}/ca.crt)`,
  });
  const answer = await transport.send({ method: 'GET', url, signal, trust: unverified });
  assert.equal(answer.status, 200);
  await answer.discard();
});

test('a registry on loopback may speak TLS with any certificate, and is found by it', async () => {
  await using server = await selfSigned();
  await using client = createRegistryClient({ mirrors: [], insecureRegistries: [], userAgent: 'wharf/test' });
  assert.equal(await client.login(server.host, { username: 'bob', password: 'x' }, { signal }), '');
});

test('send() says that a server speaks HTTP where HTTPS was expected', async () => {
  const server = createPlain((_, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using transport = new Transport(options);
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/v2/`);
  await assert.rejects(transport.send({ method: 'GET', url, signal, trust: verified }), {
    message: `Get "${url.href}": http: server gave HTTP response to HTTPS client`,
  });
  server.close();
});

test('send() follows a redirect from TLS to plain HTTP for insecure registries', async () => {
  let reached = 0;
  const plain = createPlain((_, response) => {
    reached += 1;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const target = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/x`;
  await using server = await selfSigned(() => target);
  await using transport = new Transport(options);
  const url = new URL(`https://${server.host}/v2/`);
  const answer = await transport.send({ method: 'GET', url, signal, trust: unverified });
  await answer.discard();
  assert.equal(answer.url.href, target);
  assert.equal(reached, 1);
  plain.close();
});

test('get() sends no password to an unencrypted token server of an encrypted registry', async () => {
  await using transport = new Transport(options);
  const request = {
    challenge: { scheme: 'bearer', parameters: { realm: 'http://127.0.0.1:1/token' } },
    scopes: [],
    auth: { username: 'bob', password: 'secret' },
    registry: new URL('https://registry.example/'),
    trust: verified,
    signal,
  };
  await assert.rejects(new Tokens(transport).get(request), /refused to send credentials to the token server/);
});

test('send() goes through the proxies it is given, but never to loopback', async () => {
  const asked: string[] = [];
  const loginOf = ({ headers }: IncomingMessage): string =>
    Buffer.from((headers['proxy-authorization'] ?? '').slice(6), 'base64').toString();
  const proxy = createPlain((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''} ${loginOf(request)}`);
    response.end('{}');
  });
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url ?? ''} ${loginOf(request)}`);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = `http://user:p%40ss@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    await using transport = new Transport({
      ...options,
      proxies: { http: url, https: url, no: 'direct.invalid' },
    });
    const get = async (text: string): Promise<unknown> =>
      transport.send({ method: 'GET', url: new URL(text), signal, trust: verified });
    await get('http://registry.invalid/v2/');
    await assert.rejects(get('https://registry.invalid/v2/'), (error: Error) => {
      assert.doesNotMatch(`${error.message} ${String(error.cause)} ${error.stack ?? ''}`, /p(?:%40|@)ss/);
      return true;
    });
    await assert.rejects(get('http://direct.invalid/v2/'));
    await assert.rejects(get('https://127.0.0.1:1/v2/'));
    assert.deepEqual(asked, [
      'GET http://registry.invalid/v2/ user:p@ss',
      'CONNECT registry.invalid:443 user:p@ss',
    ]);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
