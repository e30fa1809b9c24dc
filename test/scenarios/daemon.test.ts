import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  answerOf,
  command,
  dockerProgram,
  freePort,
  makeTar,
  outputOf,
  projectRoot,
  startDaemon,
  succeed,
  wharfProgram,
  type CommandResult,
  type Daemon,
} from '../setup/index.ts';

/** Runs wharfd with exactly these flags; for a start that must fail. */
const wharfd = (...flags: string[]): Promise<CommandResult> =>
  command(join(projectRoot, 'node_modules/.bin/node'), [join(projectRoot, 'dist/wharfd.js'), ...flags], {
    timeout: 20_000,
  });

const json = async (daemon: Daemon, path: string): Promise<Record<string, unknown>> => {
  const { status, body } = await daemon.get(path);
  assert.equal(status, 200, body);
  return JSON.parse(body) as Record<string, unknown>;
};

function docker(daemon: Daemon, ...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

async function inFolder(task: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-daemon-'));
  try {
    await task(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('the socket is for its owner and group, the basics answer, versions are negotiated', async () => {
  await using daemon = await startDaemon();
  assert.equal(statSync(daemon.socket).mode & 0o777, 0o660);
  const ping = await daemon.get('/_ping');
  assert.deepEqual([ping.status, ping.body, ping.headers['ostype']], [200, 'OK', 'linux']);
  const version = await json(daemon, '/version');
  assert.equal(version['ApiVersion'], ping.headers['api-version']);
  assert.equal(version['MinAPIVersion'], '1.24');
  const info = await json(daemon, '/info');
  assert.equal(info['DockerRootDir'], daemon.dataRoot);
  assert.equal(info['Containers'], 0);
  assert.equal(info['OSType'], 'linux');
  for (const api of ['1.24', '1.41', '1.45']) {
    const env = { DOCKER_API_VERSION: api };
    const said = await daemon.docker(['version', '-f', '{{.Client.APIVersion}} {{.Server.Os}}'], { env });
    assert.deepEqual([said.code, said.stdout.trim()], [0, `${api} linux`], said.stderr);
    const listed = await daemon.docker(['ps', '-a'], { env });
    assert.equal(listed.code, 0, listed.stderr);
  }
});

test('docker events ends at --until with what has happened', async () => {
  await using daemon = await startDaemon();
  const since = String(Math.floor(Date.now() / 1000) - 1);
  await docker(daemon, 'volume', 'create', 'seen');
  await docker(daemon, 'volume', 'rm', 'seen');
  const until = String(Math.floor(Date.now() / 1000) + 1);
  const format = '{{.Type}} {{.Action}} {{.Actor.ID}}';
  const said = await docker(daemon, 'events', '--since', since, '--until', until, '--format', format);
  assert.equal(said, 'volume create seen\nvolume destroy seen');
});

test('a second daemon on the same data root is refused and disturbs nothing', async () => {
  await using daemon = await startDaemon();
  await inFolder(async (folder) => {
    const own = ['--exec-root', join(folder, 'run'), '-H', `unix://${join(folder, 's.sock')}`];
    const config = join(folder, 'daemon.json');
    await writeFile(config, '{}');
    const { code, stderr, stdout } = await wharfd(
      ...['--data-root', daemon.dataRoot, '--config-file', config, '--pidfile', join(folder, 'pid'), ...own],
    );
    assert.equal(code, 1);
    assert.match(stdout + stderr, new RegExp(`another wharfd uses the data root ${daemon.dataRoot}`));
  });
  assert.equal((await daemon.get('/_ping')).status, 200);
});

test('a data root of a newer format is refused', async () => {
  await using daemon = await startDaemon();
  await daemon.stop();
  const path = join(daemon.dataRoot, 'wharf.db');
  const edit = (change: (version: number) => number): void => {
    const db = new DatabaseSync(path);
    const row = db.prepare('PRAGMA user_version').get() as { user_version: number };
    db.exec(`PRAGMA user_version = ${change(row.user_version)}`);
    db.close();
  };
  edit((version) => version + 100);
  await assert.rejects(
    daemon.start(),
    /the data root has format 1\d\d, newer than format \d+ of this wharfd/,
  );
  edit((version) => version - 100);
  await daemon.start();
});

test('daemon.json is honoured, and reported where a flag says the same or it is wrong', async () => {
  const config = { labels: ['from=file'], 'log-opts': { 'max-size': '1m' }, debug: true };
  {
    await using daemon = await startDaemon({ config });
    const info = await json(daemon, '/info');
    assert.deepEqual([info['Labels'], info['Debug']], [['from=file'], true]);
  }
  await inFolder(async (folder) => {
    const file = join(folder, 'daemon.json');
    const roots = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'run')];
    for (const [text, flags, expected] of [
      [JSON.stringify(config), ['--debug'], /specified both as a flag and in the configuration file: debug/],
      ['{', [], /unable to configure the Docker daemon with file/],
      ['{"nope":1}', [], /don't match any configuration option: nope/],
    ] as const) {
      await writeFile(file, text);
      const { code, stdout, stderr } = await wharfd(...roots, '--config-file', file, ...flags);
      assert.equal(code, 1);
      assert.match(stdout + stderr, expected);
    }
  });
});

/** A certificate authority, a server's certificate for loopback and a client's, as `openssl` makes them. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]): Promise<string> => succeed('openssl', args, { cwd: folder });
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  await openssl(
    ...['req', '-x509', ...key, '-keyout', 'ca-key.pem', '-out', 'ca.pem', '-subj', '/CN=ca', '-days', '2'],
  );
  await writeFile(join(folder, 'server.ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n');
  await writeFile(join(folder, 'client.ext'), 'extendedKeyUsage=clientAuth\n');
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2'];
  for (const [name, prefix] of [
    ['server', 'server-'],
    ['client', ''],
  ] as const) {
    await openssl(
      ...['req', ...key, '-keyout', `${prefix}key.pem`, '-out', `${name}.csr`, '-subj', `/CN=${name}`],
    );
    const out = ['-out', `${prefix}cert.pem`, '-extfile', `${name}.ext`];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...authority, ...out);
  }
}

test('TCP with mutual TLS serves who has a certificate and nobody else', async () => {
  await inFolder(async (folder) => {
    await makeCertificates(folder);
    const port = await freePort();
    const file = (name: string): string => join(folder, name);
    const flags = ['--tlsverify', '--tlscacert', file('ca.pem'), '--tlscert', file('server-cert.pem')];
    flags.push('--tlskey', file('server-key.pem'), '-H', `tcp://127.0.0.1:${port}`);
    await using daemon = await startDaemon({ flags });
    const env = { ...daemon.env, DOCKER_HOST: '', DOCKER_CERT_PATH: folder };
    const target = ['-H', `tcp://127.0.0.1:${port}`];
    const served = await command(dockerProgram(), [...target, '--tlsverify', 'ps', '-q'], { env });
    assert.deepEqual([served.code, served.stderr], [0, '']);
    const layer = makeTar([{ name: 'file', content: 'of a small image' }]);
    outputOf(await daemon.docker(['import', '-', 'small'], { input: layer }), []);
    const push = ['-H', daemon.host, '--tlsverify', 'push', '-q', 'small', `tcp://127.0.0.1:${port}`];
    const pushed = await command(wharfProgram(), push, { env });
    assert.deepEqual([pushed.code, pushed.stdout], [0, 'small\n'], pushed.stderr);
    const bare = await command(dockerProgram(), [...target, 'ps'], { env: daemon.env });
    assert.notEqual(bare.code, 0);
    const url = `https://127.0.0.1:${port}/_ping`;
    const curl = (...args: string[]): Promise<CommandResult> =>
      command('curl', ['-s', '-m', '5', '--cacert', file('ca.pem'), ...args, url]);
    assert.notEqual((await curl()).code, 0, 'without a certificate');
    const own = await curl('--cert', file('cert.pem'), '--key', file('key.pem'));
    assert.deepEqual([own.code, own.stdout], [0, 'OK']);
    await makeCertificates(folder);
    // The client's certificate is of another authority now; curl still trusts the server's by not checking it.
    const strange = await curl('-k', '--cert', file('cert.pem'), '--key', file('key.pem'));
    assert.notEqual(strange.code, 0, 'with a certificate of somebody else');
  });
});

test('TCP without TLS is served on loopback only', async () => {
  const port = await freePort();
  {
    await using daemon = await startDaemon({ flags: ['-H', `tcp://127.0.0.1:${port}`] });
    const env = { ...daemon.env, DOCKER_HOST: `tcp://127.0.0.1:${port}` };
    const { code, stderr } = await command(dockerProgram(), ['ps'], { env });
    assert.equal(code, 0, stderr);
  }
  await assert.rejects(
    startDaemon({ flags: ['-H', `tcp://0.0.0.0:${port}`] }),
    /refusing to listen on tcp:\/\/0\.0\.0\.0:\d+ without TLS/,
  );
});
