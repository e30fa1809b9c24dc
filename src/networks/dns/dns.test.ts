import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { decode, encode } from 'dns-packet';
import type { Endpoint } from '../networks.ts';
import { answerQuery, parseQuery } from './answer.ts';
import { NetworkNames } from './names.ts';
import { parseResolvConf, readHostResolvConf, resolvConf } from './resolv-conf.ts';
import { frame, streamMessages } from './upstream.ts';

const endpoint = (networkId: string, containerId: string, names: string[], ipv4: string): Endpoint => ({
  id: '',
  networkId,
  networkName: networkId,
  containerId,
  interfaceName: 'eth0',
  macAddress: '',
  ipv4: { address: ipv4, prefixLength: 16 },
  dnsNames: names,
});

const names = new NetworkNames();
names.set(endpoint('net', 'c1', ['web', 'shared'], '172.18.0.2'));
names.set(endpoint('net', 'c2', ['db', 'shared'], '172.18.0.3'));
names.set(endpoint('other', 'c3', ['web'], '172.19.0.2'));

test('resolve() knows the networks it is asked about only', () => {
  assert.deepEqual(names.resolve('WEB', ['net'])?.ipv4, ['172.18.0.2']);
  assert.deepEqual(names.resolve('web', ['other', 'net'])?.ipv4, ['172.19.0.2']);
  assert.deepEqual(names.resolve('web.other', ['net', 'other'])?.ipv4, ['172.19.0.2']);
  assert.deepEqual(names.resolve('shared', ['net'])?.ipv4, ['172.18.0.2', '172.18.0.3']);
  assert.equal(names.resolve('db', ['other']), undefined);
});

test('reverse() names the container and its network', () => {
  assert.equal(names.reverse('3.0.18.172.in-addr.arpa', ['net']), 'db.net');
  assert.equal(names.reverse('9.0.18.172.in-addr.arpa', ['net']), undefined);
  assert.equal(names.reverse('nonsense.in-addr.arpa', ['net']), undefined);
});

function answer(name: string, type: 'A' | 'AAAA' | 'MX' | 'PTR'): ReturnType<typeof decode> | undefined {
  const parsed = parseQuery(encode({ type: 'query', id: 7, flags: 0x100, questions: [{ name, type }] }));
  assert.ok(parsed);
  const bytes = answerQuery(parsed.packet, parsed.question, {
    resolve: (text) => names.resolve(text, ['net']),
    reverse: (text) => names.reverse(text, ['net']),
  });
  return bytes && decode(bytes);
}

test('answerQuery() answers for known names whatever is asked, and leaves the rest to others', () => {
  assert.deepEqual(
    answer('web', 'A')?.answers?.map((entry) => 'data' in entry && entry.data),
    ['172.18.0.2'],
  );
  assert.equal(answer('web', 'A')?.id, 7);
  const six = answer('web', 'AAAA');
  assert.deepEqual([six?.answers, six && 'rcode' in six && six.rcode], [[], 'NOERROR']);
  assert.equal(answer('example.com', 'A'), undefined);
  assert.deepEqual(answer('web', 'MX')?.answers, []);
  assert.equal(answer('example.com', 'MX'), undefined);
  assert.equal(answer('2.0.18.172.in-addr.arpa', 'PTR')?.answers?.length, 1);
});

test('parseQuery() refuses rubbish and answers', () => {
  assert.equal(parseQuery(Buffer.from('rubbish')), undefined);
  assert.equal(parseQuery(Buffer.alloc(0)), undefined);
  assert.equal(
    parseQuery(encode({ type: 'response', id: 1, questions: [{ name: 'a', type: 'A' }] })),
    undefined,
  );
});

test('streamMessages() puts messages together however they are cut', () => {
  const messages = [Buffer.from('one'), Buffer.from('three'), Buffer.alloc(0)];
  const stream = Buffer.concat(messages.map(frame));
  for (let size = 1; size <= stream.length; size += 1) {
    const seen: string[] = [];
    const push = streamMessages((message) => seen.push(message.toString()));
    for (let at = 0; at < stream.length; at += size) push(stream.subarray(at, at + size));
    assert.deepEqual(seen, ['one', 'three', '']);
  }
});

const hostFile =
  '# comment\nnameserver 127.0.0.53\nnameserver 10.0.0.1 # corporate\nsearch a.example b.example\noptions edns0\n';
const body = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('parseResolvConf() reads what counts', () => {
  assert.deepEqual(parseResolvConf(hostFile), {
    nameservers: ['127.0.0.53', '10.0.0.1'],
    search: ['a.example', 'b.example'],
    options: ['edns0'],
  });
});

test('resolvConf() follows the mode, then what was asked for', () => {
  const text = (more: object): string[] =>
    body(resolvConf({ mode: 'bridge', hostResolvConf: hostFile, ...more }));
  assert.deepEqual(text({}), ['nameserver 10.0.0.1', 'search a.example b.example', 'options edns0']);
  assert.deepEqual(text({ mode: 'host' }).slice(0, 2), ['nameserver 127.0.0.53', 'nameserver 10.0.0.1']);
  assert.deepEqual(text({ mode: 'resolver' }), [
    'nameserver 127.0.0.11',
    'search a.example b.example',
    'options edns0 ndots:0',
  ]);
  const asked = { dns: ['9.9.9.9'], search: ['foo.com'], options: ['ndots:3'] };
  assert.deepEqual(text(asked), ['nameserver 9.9.9.9', 'search foo.com', 'options ndots:3']);
  assert.deepEqual(text({ ...asked, mode: 'resolver' }), [
    'nameserver 127.0.0.11',
    'search foo.com',
    'options ndots:3',
  ]);
  assert.deepEqual(text({ search: ['.'], options: ['x'] }), ['nameserver 10.0.0.1', 'options x']);
  assert.deepEqual(body(resolvConf({ mode: 'bridge', hostResolvConf: 'nameserver ::1\n' })), [
    'nameserver 8.8.8.8',
    'nameserver 8.8.4.4',
  ]);
});

test('readHostResolvConf() looks behind the stub of systemd-resolved', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-resolv-'));
  try {
    const [file, stub] = [join(folder, 'resolv.conf'), join(folder, 'stub.conf')];
    assert.equal(readHostResolvConf(file, stub), '');
    writeFileSync(file, 'nameserver 127.0.0.53\n');
    assert.equal(readHostResolvConf(file, stub), 'nameserver 127.0.0.53\n');
    writeFileSync(stub, 'nameserver 10.0.0.1\n');
    assert.equal(readHostResolvConf(file, stub), 'nameserver 10.0.0.1\n');
    writeFileSync(file, hostFile);
    assert.equal(readHostResolvConf(file, stub), hostFile);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
