import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfiguration, parseHost } from './configuration.ts';
import { mergeSettings, parseFile, parseFlags } from './parse-settings.ts';

test('parseFlags() reads switches with values, repeats and short names', () => {
  const { settings } = parseFlags([
    '-D',
    '--iptables=false',
    '-H',
    'unix:///a',
    '--host',
    'tcp://127.0.0.1:1',
    '--log-opt',
    'max-size=1m',
  ]);
  assert.deepEqual(settings, {
    debug: true,
    iptables: false,
    hosts: ['unix:///a', 'tcp://127.0.0.1:1'],
    logOptions: { 'max-size': '1m' },
  });
});

test('parseFlags() refuses what it does not know', () => {
  assert.throws(() => parseFlags(['--nonsense']), { kind: 'invalidArgument' });
});

test('parseFile() names the file and the key', () => {
  assert.throws(
    () => parseFile('/x.json', '{"nope":1}'),
    /\/x\.json.*don't match any configuration option: nope/,
  );
  assert.throws(() => parseFile('/x.json', '{"debug":"yes"}'), /debug has the wrong type/);
  assert.deepEqual(parseFile('/x.json', '\n'), {});
  assert.throws(
    () => parseFile('/x.json', '{'),
    /unable to configure the Docker daemon with file \/x\.json: invalid JSON/,
  );
});

test('mergeSettings() refuses a directive that stands in both', () => {
  assert.throws(
    () =>
      mergeSettings({ debug: true, labels: ['c=d'] }, { debug: false, labels: ['a=b', 'e=f'] }, '/x.json'),
    /^EngineError: unable to configure the Docker daemon with file \/x\.json: the following directives are specified both as a flag and in the configuration file: debug: \(from flag: true, from file: false\), labels: \(from flag: \[c=d\], from file: \[a=b e=f\]\)$/,
  );
});

test('loadConfiguration() reads pools and ulimits in both forms', () => {
  const flags = parseFlags([
    '--default-address-pool',
    'base=10.1.0.0/16,size=24',
    '--default-ulimit',
    'nofile=10:20',
  ]);
  const { network, containers } = loadConfiguration(flags);
  assert.deepEqual(network.pools, [{ base: '10.1.0.0/16', size: 24 }]);
  assert.deepEqual(containers.ulimits, [{ Name: 'nofile', Soft: 10, Hard: 20 }]);
  const file = parseFile('f', '{"default-ulimits":{"nofile":{"Name":"nofile","Hard":20,"Soft":10}}}');
  assert.deepEqual(file, { defaultUlimits: ['nofile=10:20'] });
});

test('parseHost() reads addresses', () => {
  assert.deepEqual(parseHost('unix:///run/a.sock'), { type: 'unix', path: '/run/a.sock' });
  assert.deepEqual(parseHost('tcp://127.0.0.1:2375'), { type: 'tcp', address: '127.0.0.1', port: 2375 });
  assert.deepEqual(parseHost('tcp://[::1]:2375'), { type: 'tcp', address: '::1', port: 2375 });
  assert.throws(() => parseHost('http://x'), /invalid bind address/);
});
