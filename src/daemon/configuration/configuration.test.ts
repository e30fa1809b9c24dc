import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration, parseHost } from './configuration.ts';
import { refusedSettings } from './refused-settings.ts';
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

const inFile = 'unable to configure the Docker daemon with file FILE: ';
const merged = `${inFile}merged configuration validation from file and command line flags failed: `;
/** What dockerd 28.5 says of the same file and flags. */
const refusals: readonly (readonly [config: object, flags: readonly string[], text: string])[] = [
  [
    { nope: 1, nope2: 2 },
    [],
    `${inFile}the following directives don't match any configuration option: nope, nope2`,
  ],
  [
    { debug: true, labels: ['a=b'] },
    ['--debug', '--label', 'c=d'],
    `${inFile}the following directives are specified both as a flag and in the configuration file: debug: (from flag: true, from file: true), labels: (from flag: [c=d], from file: [a=b])`,
  ],
  [
    { proxies: { 'http-proxy': 'http://x:1' } },
    ['--http-proxy', 'http://y'],
    `${inFile}the following directives are specified both as a flag and in the configuration file: http-proxy: (from flag: http://y, from file: http://x:1)`,
  ],
  [{ labels: ['a'] }, [], `${merged}bad attribute format: a`],
  [{ 'max-concurrent-downloads': -1 }, [], `${merged}invalid max concurrent downloads: -1`],
  [{ mtu: -1 }, [], `${merged}invalid default MTU: -1`],
  [{ 'log-level': 'loud' }, [], `${merged}invalid logging level: loud`],
  [{ 'log-format': 'xml' }, [], `${merged}invalid log format: xml`],
  [{ 'exec-opts': ['foo=bar'] }, [], `${merged}invalid exec-opt (foo=bar): unknown option: 'foo'`],
  [
    { 'default-ipc-mode': 'host' },
    [],
    `${merged}IPC mode "host" is not supported as default value; use "shareable" or "private"`,
  ],
  [
    { 'default-cgroupns-mode': 'x' },
    [],
    `${merged}invalid default cgroup namespace (x): use "host" or "private"`,
  ],
  [
    { 'registry-mirrors': ['foo'] },
    [],
    `${merged}invalid mirror: no scheme specified for "foo": must use either 'https://' or 'http://'`,
  ],
];

for (const [config, flags, expected] of refusals) {
  test(`loadConfiguration() refuses ${JSON.stringify(config)} with ${flags.join(' ')}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'wharf-config-'));
    try {
      const file = join(folder, 'daemon.json');
      writeFileSync(file, JSON.stringify(config));
      assert.throws(
        () => loadConfiguration({ ...parseFlags(flags), configFile: file }),
        (error: Error) => {
          assert.equal(error.message.replaceAll(file, 'FILE'), expected);
          return true;
        },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test('every setting that is refused has a name and a reason, and none is honoured too', () => {
  for (const { flag, key, kind, reason } of refusedSettings) {
    assert.ok(reason.length > 10);
    if (flag === undefined || kind === 'number') continue;
    const value = kind === 'flag' ? `--${flag}` : `--${flag}=x=y`;
    assert.throws(() => parseFlags([value]), new RegExp(`^EngineError: --${flag} is not supported: `), flag);
    assert.throws(
      () => parseFile('/x.json', JSON.stringify({ [key ?? '']: 'x' })),
      new RegExp(`${key ?? ''} is not supported: `),
    );
  }
});
