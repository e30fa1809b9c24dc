import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyFor } from './proxy-choice.ts';

const proxies = { http: 'http://p.example:3128', https: 'user:pa%40ss@s.example:3129', no: undefined };

test('proxyFor() goes by the scheme, and keeps user and password out of the address', () => {
  assert.deepEqual(proxyFor(new URL('http://a.example/'), proxies, {}), {
    uri: 'http://p.example:3128',
    authorization: undefined,
  });
  assert.deepEqual(proxyFor(new URL('https://a.example/'), proxies, {}), {
    uri: 'http://s.example:3129',
    authorization: `Basic ${Buffer.from('user:pa@ss').toString('base64')}`,
  });
});

test('proxyFor() takes the environment where nothing is configured', () => {
  const environment = { https_proxy: 'http://low.example', NO_PROXY: 'b.example' };
  assert.equal(proxyFor(new URL('https://a.example/'), undefined, environment)?.uri, 'http://low.example');
  assert.equal(proxyFor(new URL('https://b.example/'), undefined, environment), undefined);
  assert.equal(proxyFor(new URL('http://a.example/'), undefined, environment), undefined);
});

test("proxyFor() reads exceptions by Go's rules", () => {
  const table: [exceptions: string, url: string, isProxied: boolean][] = [
    ['', 'http://localhost:5000/', false],
    ['', 'http://127.8.8.8/', false],
    ['', 'http://[::1]:5000/', false],
    ['*', 'http://a.example/', false],
    ['a.example', 'http://a.example/', false],
    ['a.example', 'http://x.a.example/', false],
    ['a.example', 'http://ba.example/', true],
    ['.a.example', 'http://a.example/', true],
    ['.a.example', 'http://x.a.example/', false],
    ['*.a.example', 'http://x.a.example/', false],
    ['*.a.example', 'http://a.example/', true],
    ['a.example:5000', 'http://a.example:5000/', false],
    ['a.example:5000', 'http://a.example/', true],
    ['a.example:80', 'http://a.example/', false],
    ['10.0.0.0/8', 'http://10.1.2.3:5000/', false],
    ['10.0.0.0/8', 'http://11.1.2.3/', true],
    ['10.1.2.3', 'http://10.1.2.3/', false],
    ['fd00::/8', 'http://[fd00::1]/', false],
    ['[fd00::1]:5000', 'http://[fd00::1]:5000/', false],
    [' A.example , b.example', 'http://B.example/', false],
  ];
  for (const [no, url, isProxied] of table) {
    const found = proxyFor(new URL(url), { ...proxies, no }, {});
    assert.equal(found !== undefined, isProxied, `${no} ${url}`);
  }
});
