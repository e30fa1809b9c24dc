import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ConfigFile } from './config-file.ts';
import { eraseAuth, findAuth, hubServer, registryAuth, storeAuth } from './credentials.ts';

const server = 'a.example:5000';

interface Bench {
  readonly folder: string;
  readonly warnings: string[];
  open(data: object): ConfigFile;
  saved(): unknown;
  /** What helpers were asked, one line each. */
  asked(): readonly string[];
}

/** A folder of configuration, with a helper `fake` that keeps one login and a helper `broken`. */
function openBench(t: TestContext): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-credentials-'));
  const path = process.env['PATH'] ?? '';
  process.env['PATH'] = `${folder}${delimiter}${path}`;
  t.after(() => {
    process.env['PATH'] = path;
    delete process.env['DOCKER_AUTH_CONFIG'];
    rmSync(folder, { recursive: true });
  });
  const kept = join(folder, 'kept');
  const log = join(folder, 'log');
  const fake = `#!/bin/sh
    input=$(cat); echo "$1 $input" >>${log}
    case $1 in
      store) echo "$input" >${kept} ;;
      get) [ -f ${kept} ] && cat ${kept} || { echo credentials not found in native keychain; exit 1; } ;;
      erase) rm ${kept} ;;
    esac`;
  writeFileSync(join(folder, 'docker-credential-fake'), fake, { mode: 0o755 });
  const broken = '#!/bin/sh\ncat >/dev/null; echo the keychain is locked; exit 3';
  writeFileSync(join(folder, 'docker-credential-broken'), broken, { mode: 0o755 });
  const warnings: string[] = [];
  const file = join(folder, 'config.json');
  return {
    folder,
    warnings,
    open: (data) => {
      writeFileSync(file, JSON.stringify(data));
      return new ConfigFile(folder, (message) => warnings.push(message));
    },
    saved: () => JSON.parse(readFileSync(file, 'utf8')) as unknown,
    asked: () => readFileSync(log, 'utf8').trimEnd().split('\n'),
  };
}

const bob = { username: 'bob', password: 'se:cret', token: '' };
const plain = Buffer.from('bob:se:cret').toString('base64');

test('storeAuth() keeps a login in a file that its owner alone reads, and tells of it once', (t) => {
  const bench = openBench(t);
  const config = bench.open({ other: 1 });
  assert.deepEqual(storeAuth(config, server, bob), { isPlain: true });
  assert.deepEqual(storeAuth(config, server, bob), { isPlain: false });
  assert.deepEqual(bench.saved(), { auths: { [server]: { auth: plain } }, other: 1 });
  assert.equal(statSync(config.path).mode & 0o777, 0o600);
  assert.deepEqual(findAuth(config, server), {
    username: 'bob',
    password: 'se:cret',
    serveraddress: server,
  });
  assert.equal(findAuth(config, 'b.example'), undefined);
  assert.equal(Buffer.from(registryAuth(config, 'b.example'), 'base64url').toString(), '{}');
  eraseAuth(config, server);
  assert.deepEqual(bench.saved(), { auths: {}, other: 1 });
});

test('storeAuth() keeps an identity token in place of the password', (t) => {
  const bench = openBench(t);
  const config = bench.open({});
  storeAuth(config, server, { ...bob, token: 'tok' });
  assert.equal(JSON.stringify(bench.saved()).includes(plain), false);
  assert.equal(findAuth(config, server)?.identitytoken, 'tok');
  const withHelper = bench.open({ credsStore: 'fake' });
  storeAuth(withHelper, server, { ...bob, token: 'tok' });
  assert.deepEqual(findAuth(withHelper, server), { identitytoken: 'tok', serveraddress: server });
});

test('a credential helper is asked by the protocol, for all registries or for one', (t) => {
  const bench = openBench(t);
  const config = bench.open({ credsStore: 'fake', credHelpers: { 'c.example': 'broken' } });
  assert.equal(findAuth(config, server), undefined);
  assert.deepEqual(storeAuth(config, server, bob), { isPlain: false });
  assert.deepEqual(findAuth(config, server), { username: 'bob', password: 'se:cret', serveraddress: server });
  eraseAuth(config, server);
  assert.deepEqual(bench.asked(), [
    `get ${server}`,
    `store {"ServerURL":"${server}","Username":"bob","Secret":"se:cret"}`,
    `get ${server}`,
    `erase ${server}`,
    `erase http://${server}`,
    `erase https://${server}`,
  ]);
  assert.equal(JSON.stringify(bench.saved()).includes('cret'), false);
  assert.equal(findAuth(config, 'c.example'), undefined);
});

test('a helper that fails has nothing, and says why it keeps nothing', (t) => {
  const bench = openBench(t);
  const config = bench.open({ credsStore: 'broken', credHelpers: { 'b.example': 'absent' } });
  assert.equal(findAuth(config, server), undefined);
  assert.throws(() => storeAuth(config, server, bob), {
    message: 'error storing credentials - err: exit status 3, out: `the keychain is locked`',
  });
  assert.throws(() => storeAuth(config, 'b.example', bob), {
    message:
      'error storing credentials - err: exec: "docker-credential-absent": executable file not found in $PATH, out: ``',
  });
  assert.doesNotThrow(() => eraseAuth(config, server));
});

test('findAuth() takes DOCKER_AUTH_CONFIG before all else, and older names of registries', (t) => {
  const bench = openBench(t);
  const config = bench.open({ auths: { 'https://a.example:5000/v1/': { auth: plain } } });
  assert.equal(findAuth(config, server)?.username, 'bob');
  const auth = Buffer.from('eve:x').toString('base64');
  process.env['DOCKER_AUTH_CONFIG'] = JSON.stringify({ auths: { [hubServer]: { auth } } });
  assert.equal(findAuth(config, 'docker.io')?.username, 'eve');
  assert.equal(findAuth(config, server)?.username, 'bob');
  process.env['DOCKER_AUTH_CONFIG'] = 'rubbish';
  assert.equal(findAuth(config, 'docker.io'), undefined);
});

test('a file whose logins are no base64 is told of and not used', (t) => {
  const bench = openBench(t);
  const config = bench.open({ auths: { [server]: { auth: 'YWI!' } } });
  assert.equal(findAuth(config, server), undefined);
  assert.match(bench.warnings.join(''), /illegal base64 data at input byte 3/);
});
