import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFakeEngine } from '../testing/fake-engine.ts';
import { run } from '../testing/run-program.ts';

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test('exec sends the command, joins the streams and ends with its code', async () => {
  await using engine = await startFakeEngine();
  engine.answer('POST /containers/web/exec', { json: { Id: 'e1' } });
  engine.hijack('POST /exec/e1/start', (request, socket) => {
    assert.deepEqual(JSON.parse(request.body), { Detach: false, Tty: false });
    socket.write(frame(1, 'out\n'));
    socket.end(frame(2, 'err\n'));
  });
  engine.answer('GET /exec/e1/json', { json: { ExitCode: 3, Running: false } });
  const result = await run(['exec', '-e', 'A=1', '-w', '/tmp', '-u', '5', 'web', 'sh', '-c', 'x'], {
    host: engine.host,
  });
  assert.deepEqual(result, { code: 3, out: 'out\n', err: 'err\n' });
  const body = JSON.parse(engine.requests[0]?.body ?? '') as Record<string, unknown>;
  assert.deepEqual(body['Cmd'], ['sh', '-c', 'x']);
  assert.deepEqual(body['Env'], ['A=1']);
  assert.equal(body['WorkingDir'], '/tmp');
  assert.equal(body['User'], '5');
  assert.equal(body['AttachStdin'], false);
});

test('logs takes the frames apart, or passes a terminal through', async () => {
  for (const Tty of [false, true]) {
    await using engine = await startFakeEngine();
    engine.answer('GET /containers/web/json', { json: { Config: { Tty } } });
    engine.answer('GET /containers/web/logs', (request, response) => {
      assert.equal(request.query['tail'], '5');
      response.end(Tty ? 'raw\r\n' : Buffer.concat([frame(1, 'out\n'), frame(2, 'err\n')]));
    });
    const result = await run(['logs', '-n', '5', 'web'], { host: engine.host });
    assert.deepEqual(result, { code: 0, out: Tty ? 'raw\r\n' : 'out\n', err: Tty ? '' : 'err\n' });
  }
});

test('verbs on several containers print what worked and report what did not', async () => {
  await using engine = await startFakeEngine();
  engine.answer('POST /containers/a/stop', (_, response) => response.writeHead(204).end());
  engine.answer('POST /containers/c/stop', (_, response) => response.writeHead(304).end());
  engine.answer('POST /containers/b/stop', { status: 404, message: 'No such container: b' });
  const result = await run(['stop', '-t', '3', 'a', 'b', 'c'], { host: engine.host });
  assert.deepEqual(result, {
    code: 1,
    out: 'a\nc\n',
    err: 'Error response from daemon: No such container: b\n',
  });
  assert.ok(engine.requests.every(({ query }) => query['t'] === '3'));
});

test('a deprecated spelling works and says so', async () => {
  await using engine = await startFakeEngine();
  engine.answer('POST /containers/a/stop', (_, response) => response.writeHead(204).end());
  const result = await run(['stop', '--time', '7', 'a'], { host: engine.host });
  assert.equal(result.out, 'Flag --time has been deprecated, use --timeout instead\na\n');
  assert.equal(engine.requests[0]?.query['t'], '7');
});

test('rm --force of a missing container is a success with a word about it', async () => {
  await using engine = await startFakeEngine();
  engine.answer('DELETE /containers/a', { status: 404, message: 'No such container: a' });
  assert.equal((await run(['rm', 'a'], { host: engine.host })).code, 1);
  assert.deepEqual(await run(['rm', '-f', 'a'], { host: engine.host }), {
    code: 0,
    out: '',
    err: 'Error response from daemon: No such container: a\n',
  });
});

test('prune asks, and does nothing without a yes', async () => {
  await using engine = await startFakeEngine();
  engine.answer('POST /containers/prune', { json: { ContainersDeleted: ['a', 'b'], SpaceReclaimed: 1500 } });
  const question =
    'WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ';
  const no = await run(['container', 'prune'], { host: engine.host, stdin: 'n\n' });
  assert.deepEqual(no, { code: 0, out: question, err: '' });
  assert.equal(engine.requests.length, 0);
  const yes = await run(['container', 'prune', '--filter', 'label=x'], { host: engine.host, stdin: 'y\n' });
  assert.equal(yes.out, `${question}Deleted Containers:\na\nb\n\nTotal reclaimed space: 1.5kB\n`);
  assert.equal(engine.requests[0]?.query['filters'], '{"label":{"x":true}}');
});

test('login stores what the engine accepted, logout removes it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'login-'));
  try {
    await using engine = await startFakeEngine();
    engine.answer('POST /auth', { json: { Status: 'Login Succeeded', IdentityToken: '' } });
    const file = join(folder, 'config.json');
    writeFileSync(file, '{"psFormat":"{{.ID}}"}');
    const env = { DOCKER_CONFIG: folder };
    const args = ['login', '-u', 'me', '--password-stdin', 'https://reg.example:5000/v2/'];
    const login = await run(args, { host: engine.host, env, stdin: 'secret\n' });
    assert.equal(login.out, 'Login Succeeded\n');
    assert.deepEqual(JSON.parse(engine.requests[0]?.body ?? ''), {
      username: 'me',
      password: 'secret',
      serveraddress: 'reg.example:5000',
    });
    const auth = Buffer.from('me:secret').toString('base64');
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
      psFormat: '{{.ID}}',
      auths: { 'reg.example:5000': { auth } },
    });
    engine.answer('POST /images/create', (request, response) => {
      const sent = Buffer.from(String(request.headers['x-registry-auth']), 'base64url').toString();
      assert.deepEqual(JSON.parse(sent), {
        username: 'me',
        password: 'secret',
        serveraddress: 'reg.example:5000',
      });
      response.end();
    });
    assert.equal((await run(['pull', '-q', 'reg.example:5000/x'], { host: engine.host, env })).code, 0);
    const logout = await run(['logout', 'reg.example:5000'], { host: engine.host, env });
    assert.equal(logout.out, 'Removing login credentials for reg.example:5000\n');
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { psFormat: '{{.ID}}', auths: {} });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('create adds the proxies of config.json', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'proxies-'));
  try {
    await using engine = await startFakeEngine();
    engine.answer('POST /containers/create', { json: { Id: 'x', Warnings: [] } });
    writeFileSync(
      join(folder, 'config.json'),
      '{"proxies":{"default":{"httpProxy":"http://p:1","noProxy":"a"}}}',
    );
    writeFileSync(join(folder, 'file.env'), 'http_proxy=of-the-file\n');
    const args = ['create', '-e', 'NO_PROXY=mine', '--env-file', join(folder, 'file.env'), 'image'];
    await run(args, { host: engine.host, env: { DOCKER_CONFIG: folder } });
    const { Env } = JSON.parse(engine.requests[0]?.body ?? '') as { Env: string[] };
    const proxies = ['HTTP_PROXY=http://p:1', 'http_proxy=http://p:1', 'no_proxy=a'];
    assert.deepEqual(Env, ['http_proxy=of-the-file', 'NO_PROXY=mine', ...proxies]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('events prints the time to the nanosecond', async () => {
  await using engine = await startFakeEngine();
  const line =
    '{"Type":"container","Action":"die","Actor":{"ID":"c1","Attributes":{"name":"web","exitCode":"0"}},"scope":"local","time":1795305114,"timeNano":1795305114298442071}';
  engine.answer('GET /events', { text: `${line}\n`, type: 'application/json' });
  process.env['TZ'] = 'UTC';
  const args = ['events', '--until', '0s'];
  const plain = await run(args, { host: engine.host });
  assert.equal(plain.out, '2026-11-21T23:51:54.298442071Z container die c1 (exitCode=0, name=web)\n');
  assert.equal((await run([...args, '--format', 'json'], { host: engine.host })).out, `${line}\n`);
  const format = '{{.Action}} {{.Actor.Attributes.name}} {{.TimeNano}}';
  assert.equal(
    (await run([...args, '--format', format], { host: engine.host })).out,
    'die web 1795305114298442071\n',
  );
});

test('a command that does not exist is refused with the nearest one', async () => {
  const result = await run(['pss'], { name: 'docker' });
  assert.deepEqual(result, {
    code: 1,
    out: '',
    err: "docker: unknown command: docker pss\n\nDid you mean 'docker ps'?\n\nRun 'docker --help' for more information\n",
  });
});

test('an engine that is not there is named in docker words', async () => {
  const result = await run(['ps'], { host: 'unix:///nonexistent/x.sock' });
  assert.deepEqual(result, {
    code: 1,
    out: '',
    err: 'Cannot connect to the Docker daemon at unix:///nonexistent/x.sock. Is the docker daemon running?\n',
  });
  const missing = await run(['run', 'image'], { host: 'unix:///nonexistent/x.sock' });
  assert.equal(missing.code, 125);
});

test('logs --clear goes with no other option', async () => {
  const result = await run(['logs', '--clear', '-f', 'web'], {});
  assert.equal(result.code, 1);
  assert.match(result.err, /--clear and --follow exclude each other/);
});
