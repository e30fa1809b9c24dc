import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { leakOf } from './key-files.ts';
import { layerLeaks } from './layer-leaks.ts';

const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n';

test('leakOf() knows keys and tokens, and leaves what only looks like them', () => {
  const table: readonly (readonly [path: string, text: string, what: string | undefined])[] = [
    ['root/.ssh/id_ed25519', key, 'a private key'],
    ['root/.ssh/id_ed25519.pub', 'ssh-ed25519 AAAA', undefined],
    ['etc/ssh/ssh_host_rsa_key', '-----BEGIN RSA PRIVATE KEY-----', 'a private key'],
    ['certs/server.pem', '-----BEGIN CERTIFICATE-----', undefined],
    ['certs/server.pem', '-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----', 'a private key'],
    ['app/i18n.key', 'hello', undefined],
    ['app/client.p12', '', 'a certificate with its private key'],
    ['app/.env', 'DEBUG=1\nDB_PASSWORD=hunter2\n', 'secrets of an environment'],
    ['app/.env.production', 'export API_KEY="abc"', 'secrets of an environment'],
    ['app/.env.example', 'API_KEY=abc', undefined],
    ['app/.env', 'API_KEY=\nPORT=80\nTOKEN=${TOKEN}\nSECRET=<secret>\n', undefined],
    ['app/.npmrc', '//registry.npmjs.org/:_authToken=npm_abc\n', 'a token of npm'],
    ['app/.npmrc', '//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nregistry=https://x\n', undefined],
    ['root/.aws/credentials', '[default]\naws_secret_access_key = x', 'credentials of AWS'],
    ['root/.aws/config', '[default]\nregion = x', undefined],
    ['root/.docker/config.json', '{"auths":{"x":{"auth":"eDp5"}}}', 'credentials of a registry'],
    ['root/.docker/config.json', '{"credsStore":"pass"}', undefined],
    ['root/.git-credentials', 'https://me:pw@github.com', 'a password'],
    ['gcp-credentials.json', '{"private_key": "-----BEGIN PRIVATE KEY-----"}', 'a private key'],
    ['src/credentials.json', '{"type": "none"}', undefined],
    ['readme.md', key, undefined],
  ];
  for (const [path, text, what] of table) assert.equal(leakOf(path, text)?.what, what, path);
});

test('layerLeaks() looks into a tree, but not into packages or through links', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-leaks-'));
  try {
    for (const path of [
      'app/id_rsa',
      'app/node_modules/x/id_rsa',
      'usr/share/doc/a.pem',
      'usr/local/b.pem',
    ]) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), key);
    }
    symlinkSync('/etc/shadow', join(root, 'app/c.pem'));
    symlinkSync(root, join(root, 'app/again'));
    const { signal } = new AbortController();
    const leaks = await layerLeaks(root, { signal });
    assert.deepEqual(
      leaks.map(({ path }) => path),
      ['/app/id_rsa', '/usr/local/b.pem'],
    );
    assert.deepEqual(await layerLeaks(join(root, 'missing'), { signal }), []);
  } finally {
    rmSync(root, { recursive: true });
  }
});
