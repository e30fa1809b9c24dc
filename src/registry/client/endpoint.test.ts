import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CertificateFolders } from './trust.ts';
import { domainOfServer, endpointOf, InsecureHosts, pullEndpoints } from './endpoint.ts';

test('InsecureHosts.has() knows loopback, names and ranges', async () => {
  const hosts = new InsecureHosts(['Reg.local:5000', '10.1.0.0/16', 'http://plain.example/']);
  const table: Record<string, boolean> = {
    '127.0.0.1:5000': true,
    '127.8.9.1': true,
    '[::1]:5000': true,
    localhost: true,
    'localhost:5000': true,
    'reg.local:5000': true,
    'reg.local:5001': false,
    '10.1.2.3:80': true,
    '10.2.2.3': false,
    'plain.example': true,
    '::ffff:127.0.0.1': true,
  };
  for (const [host, expected] of Object.entries(table)) assert.equal(await hosts.has(host), expected, host);
});

test('pullEndpoints() puts the mirrors of a registry before it', async () => {
  const places = { insecure: new InsecureHosts([]), certificates: new CertificateFolders([]) };
  const bases = async (domain: string): Promise<string[]> =>
    (
      await pullEndpoints(
        domain,
        ['http://127.0.0.1:5000', 'https://m.example/p/', 'b.example:5=https://m.example/b'],
        places,
      )
    ).flatMap((e) => e.bases.map(String));
  assert.deepEqual(await bases('docker.io'), [
    'http://127.0.0.1:5000/',
    'https://m.example/p/',
    'https://registry-1.docker.io/',
  ]);
  assert.deepEqual(await bases('b.example:5'), ['https://m.example/b/', 'https://b.example:5/']);
  assert.deepEqual(await bases('a.example'), ['https://a.example/']);
  assert.deepEqual(await bases('127.0.0.1:5000'), ['https://127.0.0.1:5000/', 'http://127.0.0.1:5000/']);
  await assert.rejects(pullEndpoints('docker.io', ['::'], places), { kind: 'invalidArgument' });
  assert.equal((await endpointOf('index.docker.io', places)).bases[0]?.host, 'registry-1.docker.io');
});

test('domainOfServer() reads what docker login is given', () => {
  const table: Record<string, string> = {
    '': 'docker.io',
    'https://index.docker.io/v1/': 'docker.io',
    'docker.io': 'docker.io',
    'host:5000': 'host:5000',
    'http://host:5000/v2/': 'host:5000',
  };
  for (const [server, domain] of Object.entries(table)) assert.equal(domainOfServer(server), domain);
});
