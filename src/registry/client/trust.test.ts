import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { networkFailure } from './network-failure.ts';
import { Transport } from './transport.ts';
import { CertificateFolders, elsewhere, verified } from './trust.ts';

const { signal } = new AbortController();
const options = { userAgent: 'wharf/test', connectTimeout: 2_000, stallTimeout: 2_000, keepAlive: 1_000 };

const subjectOf = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN);

/** An authority, with a certificate for 127.0.0.1 and one of a client. */
function makeAuthority(): { readonly folder: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-trust-'));
  const run = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  };
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  run('req', '-x509', ...kind, '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  for (const [name, subject] of [
    ['server', '127.0.0.1'],
    ['client', 'bob'],
  ] as const) {
    const alternative = ['-addext', 'subjectAltName=IP:127.0.0.1'];
    const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key'];
    run(
      'req',
      ...['-x509', ...kind, ...ca, '-subj', `/CN=${subject}`, ...alternative],
      ...['-keyout', `${name}.key`, '-out', `${name}.cert`],
    );
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test('trust() reads authorities and client certificates of a registry, and says what is amiss', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-certs-'));
  try {
    const folders = new CertificateFolders([root, join(root, 'absent')]);
    assert.equal(await folders.trust(['a.example:5000'], true), verified);
    const folder = join(root, 'a.example:5000');
    mkdirSync(folder);
    for (const name of ['ca.crt', 'b.crt', 'me.cert', 'me.key', 'README']) {
      writeFileSync(join(folder, name), name);
    }
    const trust = await folders.trust(['a.example:5000'], true);
    assert.deepEqual(trust.authorities, ['b.crt', 'ca.crt']);
    assert.deepEqual(trust.clients, [{ cert: 'me.cert', key: 'me.key' }]);
    assert.deepEqual(elsewhere(trust).clients, []);
    assert.deepEqual(elsewhere(trust).authorities, trust.authorities);
    assert.notEqual(elsewhere(trust).id, trust.id);
    assert.equal(await folders.trust(['a.example'], true), verified);
    assert.equal(await folders.trust(['../a.example:5000'], true), verified);
    rmSync(join(folder, 'me.key'));
    await assert.rejects(folders.trust(['a.example:5000'], true), {
      kind: 'invalidArgument',
      message:
        'missing key me.key for client certificate me.cert. CA certificates must use the extension .crt',
    });
    rmSync(join(folder, 'me.cert'));
    writeFileSync(join(folder, 'me.key'), '');
    await assert.rejects(folders.trust(['a.example:5000'], true), {
      message: 'missing client certificate me.cert for key me.key',
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('send() believes the authority of the registry, shows its certificate, and says which is missing', async () => {
  using authority = makeAuthority();
  const read = (name: string): string => readFileSync(join(authority.folder, name), 'utf8');
  const tls = { key: read('server.key'), cert: read('server.cert'), ca: read('ca.crt') };
  const server = createServer({ ...tls, requestCert: true }, (request, response) => {
    const { socket } = request;
    response.end('getPeerCertificate' in socket ? subjectOf(socket as TLSSocket) : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const root = join(authority.folder, 'certs.d');
  const folder = join(root, host);
  mkdirSync(folder, { recursive: true });
  const folders = new CertificateFolders([root]);
  await using transport = new Transport(options);
  const send = async (): Promise<string> => {
    const trust = await folders.trust([host], true);
    const answer = await transport.send({ method: 'GET', url: new URL(`https://${host}/`), signal, trust });
    return Buffer.concat(await Array.fromAsync(answer.body as AsyncIterable<Uint8Array>)).toString();
  };
  try {
    await assert.rejects(send(), /signed by unknown authority \(put .* into .*\/ca\.crt\)/);
    writeFileSync(join(folder, 'ca.crt'), read('ca.crt'));
    await assert.rejects(send());
    writeFileSync(join(folder, 'client.cert'), read('client.cert'));
    writeFileSync(join(folder, 'client.key'), read('client.key'));
    assert.equal(await send(), 'bob');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('networkFailure() says where a missing client certificate belongs', () => {
  const error = Object.assign(new Error('alert'), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
  const { message } = networkFailure('GET', new URL('https://a.example:5/v2/'), error);
  assert.match(message, /certificate required \(put yours into .*certs\.d\/a\.example:5\/client\.cert/);
});
