import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { Bench } from '../testing/bench.ts';
import { readTokenFile } from './token-file.ts';

const names = { realm: 'https://auth.example/token', service: 'registry.example', issuer: 'auth.example' };
const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });

interface Claims {
  readonly issuer?: string;
  readonly audience?: string;
  readonly expires?: string;
  readonly access?: unknown;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly algorithm?: string;
}

async function sign(key: KeyObject | Uint8Array, claims: Claims = {}): Promise<string> {
  const all = [{ type: 'repository', name: 'team/app', actions: ['pull', 'push'] }];
  const token = new SignJWT({ access: 'access' in claims ? claims.access : all })
    .setProtectedHeader({ alg: claims.algorithm ?? 'ES256', ...claims.header })
    .setIssuer(claims.issuer ?? names.issuer)
    .setAudience(claims.audience ?? names.service)
    .setSubject('ann');
  if (claims.expires !== '') token.setExpirationTime(claims.expires ?? '5m');
  return await token.sign(key);
}

async function withFolder(task: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-tokens-'));
  try {
    await task(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function writeService(folder: string, keys: string): Promise<string> {
  await writeFile(join(folder, 'keys'), keys);
  await writeFile(join(folder, 'service.yml'), JSON.stringify({ ...names, keys: 'keys' }));
  return join(folder, 'service.yml');
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keySet = (...keys: readonly KeyObject[]): string =>
  JSON.stringify({
    keys: keys.map((key, index) => ({ ...key.export({ format: 'jwk' }), kid: `k${index}` })),
  });

test('an outside service’s tokens allow what is written in them, and nothing else', async () => {
  await withFolder(async (folder) => {
    const { publicKey, privateKey } = newKey();
    const tokenService = readTokenFile(await writeService(folder, keySet(newKey().publicKey, publicKey)));
    await using bench = await Bench.start({ tokenService });
    const status = async (method: string, path: string, token?: string): Promise<number> =>
      (await bench.ask(method, path, undefined, token === undefined ? {} : bearer(token))).status;
    const anonymous = await bench.ask('POST', '/v2/team/app/blobs/uploads/');
    assert.equal(anonymous.status, 401);
    assert.equal(
      anonymous.headers.get('www-authenticate'),
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:team/app:pull,push"',
    );
    const good = await sign(privateKey, { header: { kid: 'k1' } });
    assert.equal(await status('GET', '/v2/', good), 200);
    assert.equal(await status('POST', '/v2/team/app/blobs/uploads/', good), 202);
    const other = await bench.ask('POST', '/v2/team/other/blobs/uploads/', undefined, bearer(good));
    assert.equal(other.status, 401);
    assert.match(
      other.headers.get('www-authenticate') ?? '',
      /scope="repository:team\/other:pull,push",error="insufficient_scope"/,
    );
    assert.equal(await status('DELETE', `/v2/team/app/manifests/v1`, good), 401);
    const all = await sign(privateKey, {
      access: [{ type: 'repository', name: 'team/app', actions: ['*'] }],
    });
    assert.equal(await status('DELETE', `/v2/team/app/manifests/v1`, all), 404);
    for (const access of ['', null, {}, [null], [{ type: 'repository', name: 'team/app' }]]) {
      assert.equal(
        await status('POST', '/v2/team/app/blobs/uploads/', await sign(privateKey, { access })),
        401,
      );
    }
    assert.equal(await status('POST', '/v2/team/app/blobs/uploads/', `${good.slice(0, -4)}AAAA`), 401);
    assert.equal(await status('GET', '/v2/', 'no.token.atall'), 401);
  });
});

test('tokens of others, for others, too old or without a signature are refused', async () => {
  await withFolder(async (folder) => {
    const { publicKey, privateKey } = newKey();
    const tokenService = readTokenFile(await writeService(folder, keySet(publicKey)));
    await using bench = await Bench.start({ tokenService });
    const secret = randomBytes(32);
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await sign(privateKey)).split('.')[1] ?? ''}.`;
    const pem = Buffer.from(publicKey.export({ format: 'pem', type: 'spki' }));
    for (const [what, token] of [
      ['another issuer', await sign(privateKey, { issuer: 'evil' })],
      ['another audience', await sign(privateKey, { audience: 'other' })],
      ['an old one', await sign(privateKey, { expires: '-5m' })],
      ['one without an end', await sign(privateKey, { expires: '' })],
      ['another key', await sign(newKey().privateKey)],
      ['no signature', none],
      ['a shared secret', await sign(secret, { algorithm: 'HS256' })],
      ['the public key as a secret', await sign(pem, { algorithm: 'HS256' })],
    ] as const) {
      const answer = await bench.ask('GET', '/v2/', undefined, bearer(token));
      assert.equal(answer.status, 401, what);
      assert.match(answer.headers.get('www-authenticate') ?? '', /error="invalid_token"/, what);
    }
    // Keys are exchanged without a restart.
    const next = newKey();
    await writeFile(join(folder, 'keys'), keySet(next.publicKey, publicKey));
    for (const key of [privateKey, next.privateKey]) {
      assert.equal((await bench.ask('GET', '/v2/', undefined, bearer(await sign(key)))).status, 200);
    }
  });
});

test('tokens signed under a certificate of the bundle are taken, and those of another are not', async () => {
  await withFolder(async (folder) => {
    const at = (name: string): string => join(folder, name);
    const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'ignore' });
    const make = async (name: string, issuer?: string): Promise<X509Certificate> => {
      const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
      const from = issuer === undefined ? [] : ['-CA', at(`${issuer}.pem`), '-CAkey', at(`${issuer}.key`)];
      const constraint = [
        '-addext',
        `basicConstraints=critical,CA:${issuer === undefined ? 'TRUE' : 'FALSE'}`,
      ];
      openssl(
        'req',
        '-x509',
        ...ec,
        ...from,
        ...constraint,
        '-subj',
        `/CN=${name}`,
        '-keyout',
        at(`${name}.key`),
        '-out',
        at(`${name}.pem`),
      );
      return new X509Certificate(await readFile(at(`${name}.pem`)));
    };
    const keyOf = async (name: string): Promise<KeyObject> =>
      createPrivateKey(await readFile(at(`${name}.key`)));
    const root = await make('root');
    const [leaf, stranger] = [await make('leaf', 'root'), await make('stranger')];
    const tokenService = readTokenFile(await writeService(folder, root.toString()));
    await using bench = await Bench.start({ tokenService });
    const x5c = (...chain: readonly X509Certificate[]): Claims => ({
      header: { x5c: chain.map(({ raw }) => raw.toString('base64')) },
    });
    for (const [what, expected, token] of [
      ['the root itself', 200, await sign(await keyOf('root'))],
      ['issued by the root', 200, await sign(await keyOf('leaf'), x5c(leaf))],
      ['with the root', 200, await sign(await keyOf('leaf'), x5c(leaf, root))],
      ['its own certificate', 401, await sign(await keyOf('stranger'), x5c(stranger))],
      ['another’s certificate', 401, await sign(await keyOf('stranger'), x5c(leaf))],
      ['a false chain', 401, await sign(await keyOf('stranger'), x5c(stranger, root))],
      ['issued by a leaf', 401, await sign(await keyOf('stranger'), x5c(stranger, leaf, root))],
    ] as const) {
      assert.equal((await bench.ask('GET', '/v2/', undefined, bearer(token))).status, expected, what);
    }
  });
});

test('readTokenFile() names what is wrong', async () => {
  await withFolder(async (folder) => {
    const path = await writeService(folder, 'no key');
    assert.throws(() => readTokenFile(path), /no key in it/);
    await writeFile(path, JSON.stringify({ ...names, realm: 'ftp://x', keys: 'keys' }));
    assert.throws(() => readTokenFile(path), /realm/);
    await writeFile(path, JSON.stringify({ ...names, service: 'a"b', keys: 'keys' }));
    assert.throws(() => readTokenFile(path), /service/);
  });
});
