import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FakeEngine } from '../../testing/fake-engine.ts';
import { startFakeEngine } from '../../testing/fake-engine.ts';
import { run } from '../../testing/run-program.ts';

const id = 'ab'.repeat(32);

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

/** An engine whose containers echo their input and end with a code. */
async function echoing(code: number): Promise<FakeEngine> {
  const engine = await startFakeEngine();
  const ended = Promise.withResolvers<undefined>();
  const started = Promise.withResolvers<undefined>();
  engine.answer('POST /containers/create', (_, response) => {
    response.statusCode = 201;
    response.end(JSON.stringify({ Id: id, Warnings: ['careful'] }));
  });
  engine.answer(`POST /containers/${id}/wait`, (_, response) => {
    response.flushHeaders();
    void ended.promise.then(() => response.end(JSON.stringify({ StatusCode: code })));
  });
  engine.answer(`POST /containers/${id}/start`, (_, response) => {
    response.statusCode = 204;
    response.end();
    started.resolve(undefined);
  });
  engine.hijack(`POST /containers/${id}/attach`, (_, socket) => {
    const input: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => input.push(chunk));
    socket.on('end', () => {
      void started.promise.then(() => {
        socket.write(frame(1, `out ${Buffer.concat(input).toString()}`));
        socket.end(frame(2, 'err\n'), () => ended.resolve(undefined));
      });
    });
  });
  return engine;
}

const routes = (engine: FakeEngine): string[] =>
  engine.requests.map(({ method, path }) => `${method} ${path.replace(id, 'ID')}`);

test('run attaches and waits before it starts, and ends with the code of the container', async () => {
  await using engine = await echoing(7);
  const result = await run(['run', '-i', 'image', 'cat'], { host: engine.host, stdin: 'hello\n' });
  assert.deepEqual(result, { code: 7, out: 'out hello\n', err: 'WARNING: careful\nerr\n' });
  const order = routes(engine);
  assert.equal(order[0], 'POST /containers/create');
  assert.equal(order.at(-1), 'POST /containers/ID/start');
  assert.deepEqual(order.slice(1, 3).sort(), ['POST /containers/ID/attach', 'POST /containers/ID/wait']);
  const attach = engine.requests.find(({ path }) => path.endsWith('/attach'));
  assert.deepEqual({ ...attach?.query }, { stream: '1', stdin: '1', stdout: '1', stderr: '1' });
  const wait = engine.requests.find(({ path }) => path.endsWith('/wait'));
  assert.equal(wait?.query['condition'], 'next-exit');
});

test('run --rm waits for the removal', async () => {
  await using engine = await echoing(0);
  const result = await run(['run', '--rm', 'image'], { host: engine.host });
  assert.equal(result.code, 0);
  assert.equal(engine.requests.find(({ path }) => path.endsWith('/wait'))?.query['condition'], 'removed');
});

test('run -d prints the id and writes the file of --cidfile', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cidfile-'));
  try {
    await using engine = await echoing(0);
    const file = join(folder, 'cid');
    const result = await run(['run', '-d', '--cidfile', file, 'image'], { host: engine.host });
    assert.equal(result.out, `${id}\n`);
    assert.equal(readFileSync(file, 'utf8'), id);
    assert.deepEqual(routes(engine), ['POST /containers/create', 'POST /containers/ID/start']);
    const again = await run(['run', '-d', '--cidfile', file, 'image'], { host: engine.host });
    assert.equal(again.code, 125);
    assert.match(again.err, /container ID file found/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const startErrors: readonly (readonly [string, number])[] = [
  ['exec: "x": executable file not found in $PATH', 127],
  ['exec: "/x": stat /x: no such file or directory', 127],
  ['exec: "/etc": permission denied', 126],
  ['exec: "/etc": is a directory', 126],
  ['driver failed', 125],
];

test("run ends with docker's codes when the container does not start", async () => {
  for (const [message, code] of startErrors) {
    await using engine = await echoing(0);
    engine.answer(`POST /containers/${id}/start`, { status: 400, message });
    const result = await run(['run', 'image'], { host: engine.host, name: 'docker' });
    assert.equal(result.code, code);
    assert.ok(
      result.err.endsWith(
        `docker: Error response from daemon: ${message}\n\nRun 'docker run --help' for more information\n`,
      ),
      result.err,
    );
  }
});

test('run pulls a missing image, shows the progress on stderr and tries again', async () => {
  await using engine = await echoing(0);
  let there = false;
  engine.answer('POST /containers/create', (_, response) => {
    response.statusCode = there ? 201 : 404;
    response.setHeader('Content-Type', 'application/json');
    response.end(
      JSON.stringify(there ? { Id: id, Warnings: [] } : { message: 'No such image: busybox:latest' }),
    );
  });
  engine.answer('POST /images/create', (request, response) => {
    assert.deepEqual({ ...request.query }, { fromImage: 'docker.io/library/busybox', tag: 'latest' });
    assert.equal(request.headers['x-registry-auth'], 'e30');
    there = true;
    response.end(
      [
        { status: 'Pulling from library/busybox', id: 'latest' },
        { status: 'Downloading', progressDetail: { current: 1, total: 2 }, progress: '[=>] 1B/2B', id: 'aa' },
        { status: 'Pull complete', progressDetail: {}, id: 'aa' },
        { status: 'Status: Downloaded newer image for busybox:latest' },
      ]
        .map((message) => `${JSON.stringify(message)}\r\n`)
        .join(''),
    );
  });
  const result = await run(['run', '-d', 'busybox'], { host: engine.host });
  assert.equal(result.code, 0);
  assert.equal(
    result.err,
    "Unable to find image 'busybox:latest' locally\nlatest: Pulling from library/busybox\naa: Pull complete\nStatus: Downloaded newer image for busybox:latest\n",
  );
});

test('run --pull never does not pull', async () => {
  await using engine = await startFakeEngine();
  engine.answer('POST /containers/create', { status: 404, message: 'No such image: x:latest' });
  const result = await run(['run', '--pull', 'never', 'x'], { host: engine.host });
  assert.equal(result.code, 125);
  assert.equal(engine.requests.length, 1);
});

test('run reads environment files, label files and seccomp profiles', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'run-files-'));
  try {
    await using engine = await echoing(0);
    writeFileSync(join(folder, 'env'), '# comment\nA=1\n\n  B=x=y\nHOME\nNOT_SET_ANYWHERE\n');
    writeFileSync(join(folder, 'labels'), 'l=v\n');
    writeFileSync(join(folder, 'seccomp'), '{ "defaultAction": "SCMP_ACT_ALLOW" }');
    const args = ['--env-file', join(folder, 'env'), '-e', 'C=2', '--label-file', join(folder, 'labels')];
    const security = ['--security-opt', `seccomp=${join(folder, 'seccomp')}`];
    await run(['run', '-d', ...args, ...security, 'image'], { host: engine.host, env: { HOME: '/home/me' } });
    const body = JSON.parse(engine.requests[0]?.body ?? '') as {
      Env: string[];
      Labels: object;
      HostConfig: { SecurityOpt: string[] };
    };
    assert.deepEqual(body.Env, ['A=1', 'B=x=y', 'HOME=/home/me', 'C=2']);
    assert.deepEqual(body.Labels, { l: 'v' });
    assert.deepEqual(body.HostConfig.SecurityOpt, ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
