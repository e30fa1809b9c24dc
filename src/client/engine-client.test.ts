import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatEndpoint, parseHost } from './endpoint.ts';
import { EngineClient, compareVersions, readText } from './engine-client.ts';
import { ConnectError, ResponseError } from './errors.ts';
import { chunksOf, demultiplex } from './raw-stream.ts';

interface RawServer extends AsyncDisposable {
  readonly path: string;
  readonly heads: string[];
  connections: number;
}

/** A server that answers each request head with prepared bytes; undefined closes the connection. */
async function serve(answer: (head: string, socket: Socket) => string | undefined): Promise<RawServer> {
  const folder = mkdtempSync(join(tmpdir(), 'raw-server-'));
  const path = join(folder, 's.sock');
  const sockets = new Set<Socket>();
  const state = { path, heads: [] as string[], connections: 0 };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    state.connections += 1;
    sockets.add(socket);
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        text = text.slice(end + 4 + length);
        state.heads.push(head);
        const bytes = answer(head, socket);
        if (bytes === undefined) socket.end();
        else socket.write(bytes);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return Object.assign(state, {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  });
}

const clientOf = (path: string, version?: string): EngineClient =>
  new EngineClient({ endpoint: parseHost(`unix://${path}`), ...(version !== undefined && { version }) });

const ok = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test('json() reads bodies with a length, in chunks and up to the end', async () => {
  const bodies = [
    ok('{"a":"é"}'),
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n6;x=y\r\n:"é"}\r\n0\r\nTrailer: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"a":"é"}',
  ];
  for (const [at, body] of bodies.entries()) {
    await using server = await serve((_, socket) => {
      socket.write(Buffer.from(body, 'utf8'));
      if (at === 2) socket.end();
      return '';
    });
    const client = clientOf(server.path);
    assert.deepEqual(await client.json({ method: 'GET', path: '/x' }), { a: 'é' });
    client.close();
  }
});

test('send() uses a connection again, and another while the first is busy', async () => {
  await using server = await serve(() => ok('{}'));
  const client = clientOf(server.path);
  await client.json({ method: 'GET', path: '/a' });
  await client.json({ method: 'GET', path: '/b' });
  assert.equal(server.connections, 1);
  const busy = await client.send({ method: 'GET', path: '/c' });
  await client.json({ method: 'GET', path: '/d' });
  assert.equal(server.connections, 2);
  await readText(busy.body);
  client.close();
});

test('send() tries again when a kept connection has gone stale', async () => {
  let count = 0;
  await using server = await serve((_, socket) => {
    count += 1;
    if (count > 1) return ok('{}');
    socket.end(ok('{}'));
    return '';
  });
  const client = clientOf(server.path);
  await client.json({ method: 'GET', path: '/a' });
  await client.json({ method: 'POST', path: '/b', json: { x: 1 } });
  assert.equal(server.connections, 2);
  client.close();
});

test('send() steps down to the version that the engine names', async () => {
  await using server = await serve((head) => {
    const body = '{"message":"client version 1.51 is too new. Maximum supported API version is 1.41"}\n';
    return head.startsWith('GET /v1.51/')
      ? `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      : ok('{}');
  });
  const client = clientOf(server.path);
  await client.json({ method: 'GET', path: '/x' });
  assert.equal(client.version, '1.41');
  assert.deepEqual(
    server.heads.map((head) => head.split(' ')[1]),
    ['/v1.51/x', '/v1.41/x'],
  );
  client.close();
});

test('a streamed body is sent in chunks after a ping', async () => {
  await using server = await serve((head) => (head.includes('_ping') ? ok('') : ''));
  const client = clientOf(server.path);
  const sent = client.json({
    method: 'POST',
    path: '/images/load',
    stream: (async function* () {
      await Promise.resolve();
      yield Buffer.from('abc');
    })(),
  });
  sent.catch(() => undefined);
  const deadline = Date.now() + 5000;
  while (server.heads.length < 2 && Date.now() < deadline) await new Promise(setImmediate);
  assert.match(server.heads[0] ?? '', /^HEAD \/_ping /);
  assert.match(server.heads[1] ?? '', /Transfer-Encoding: chunked/);
});

test('a streamed body goes on after an early answer, and not after an early failure', async () => {
  let body = '';
  await using server = await serve((head, socket) => {
    if (head.startsWith('HEAD /_ping')) return ok('');
    if (!head.startsWith('POST')) return '';
    socket.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
      if (body.includes('0\r\n\r\n')) socket.write('4\r\nlate\r\n0\r\n\r\n');
    });
    return head.includes('/refused')
      ? 'HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno'
      : 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  });
  const client = clientOf(server.path);
  const answered = Promise.withResolvers<undefined>();
  const stream = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.from('first');
    await answered.promise;
    yield Buffer.from('second');
  };
  const { body: rest } = await client.send({ method: 'POST', path: '/taken', stream: stream() });
  answered.resolve(undefined);
  assert.equal(await readText(rest), 'late');
  assert.match(body, /second/);
  const refused = client.send({ method: 'POST', path: '/refused', stream: stream() });
  await assert.rejects(refused, /no$/);
  client.close();
});

test('errors carry what the engine said', async () => {
  const answers: readonly (readonly [string, string])[] = [
    [
      'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n{"message":"no such thing"}'.replace(
        '26',
        '27',
      ),
      'no such thing',
    ],
    ['HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nplain', 'plain'],
  ];
  for (const [answer, reason] of answers) {
    await using server = await serve(() => answer);
    const client = clientOf(server.path);
    await assert.rejects(client.json({ method: 'GET', path: '/x' }), (error) => {
      assert.ok(error instanceof ResponseError);
      assert.equal(error.message, `Error response from daemon: ${reason}`);
      return true;
    });
    client.close();
  }
});

test('no engine is a ConnectError in docker words, and a second try after onAbsent()', async () => {
  const endpoint = parseHost('unix:///nonexistent/engine.sock');
  await assert.rejects(new EngineClient({ endpoint }).json({ method: 'GET', path: '/x' }), (error) => {
    assert.ok(error instanceof ConnectError && error.isAbsent);
    assert.equal(
      error.message,
      'Cannot connect to the Docker daemon at unix:///nonexistent/engine.sock. Is the docker daemon running?',
    );
    return true;
  });
  let asked = 0;
  const client = new EngineClient({ endpoint, onAbsent: () => Promise.resolve((asked += 1) === 0) });
  await assert.rejects(client.json({ method: 'GET', path: '/x' }), ConnectError);
  assert.equal(asked, 1);
});

test('hijack() gives both directions, half-close and the bytes behind the head', async () => {
  await using server = await serve((_, socket) => {
    const received: Buffer[] = [];
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('end', () => socket.end(`got ${Buffer.concat(received).toString()}`));
    return 'HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\nearly ';
  });
  const { connection } = await clientOf(server.path).hijack({ method: 'POST', path: '/attach' });
  await connection.write('hello');
  connection.closeWrite();
  assert.equal(await readText(chunksOf(connection)), 'early got hello');
});

test('demultiplex() puts frames together across chunks', async () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const bytes = Buffer.concat([frame(1, 'out1'), frame(2, 'err'), frame(1, ''), frame(1, 'out2')]);
  for (const size of [1, 3, 7, 100]) {
    let out = '';
    let err = '';
    const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      await Promise.resolve();
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    await demultiplex(chunks(), {
      stdout: (part) => void (out += Buffer.from(part).toString()),
      stderr: (part) => void (err += Buffer.from(part).toString()),
    });
    assert.equal(out, 'out1out2');
    assert.equal(err, 'err');
  }
});

test('parseHost() reads what docker reads', () => {
  assert.deepEqual(parseHost('unix:///x/y.sock'), { kind: 'unix', path: '/x/y.sock' });
  assert.deepEqual(parseHost('tcp://h:1'), { kind: 'tcp', host: 'h', port: 1 });
  assert.deepEqual(parseHost('tcp://[::1]:99/'), { kind: 'tcp', host: '::1', port: 99 });
  assert.deepEqual(parseHost('h'), { kind: 'tcp', host: 'h', port: 2375 });
  assert.deepEqual(parseHost('https://h'), { kind: 'tcp', host: 'h', port: 2376, tls: { verify: true } });
  assert.throws(() => parseHost('ftp://x'), /invalid bind address format: ftp:\/\/x/);
});

test('parseHost() reads ssh addresses, and refuses what ssh would take for options', () => {
  const cases = [
    ['ssh://box', { kind: 'ssh', host: 'box' }],
    ['ssh://ann@box:2222', { kind: 'ssh', host: 'box', user: 'ann', port: 2222 }],
    ['ssh://[fe80::1]:22/run/w.sock', { kind: 'ssh', host: 'fe80::1', port: 22, path: '/run/w.sock' }],
  ] as const;
  for (const [text, endpoint] of cases) {
    assert.deepEqual(parseHost(text), endpoint);
    assert.equal(formatEndpoint(endpoint), text);
  }
  for (const text of ['ssh://', 'ssh://-oProxyCommand=x', 'ssh://-l@box', 'ssh://a:b@box']) {
    assert.throws(() => parseHost(text), /^EngineError: invalid host ssh:/);
  }
});

test('compareVersions() compares numbers', () => {
  assert.ok(compareVersions('1.9', '1.24') < 0);
  assert.ok(compareVersions('1.51', '1.51') === 0);
  assert.ok(compareVersions('2.0', '1.99') > 0);
});
