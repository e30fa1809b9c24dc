import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { EngineError } from '#kernel';
import { createApiServer } from '../api-server.ts';
import { fakeContainer, fakeEngine, type FakeEngine } from '../fake/backends.ts';

/** A process's streams: what comes in is kept, what goes out is what a test says. */
class FakeProcess extends Duplex {
  readonly input: Buffer[] = [];
  readonly ended = Promise.withResolvers<undefined>();

  override _read(): void {
    // Output is pushed by the test.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.input.push(chunk);
    callback();
  }

  override _final(callback: () => void): void {
    this.ended.resolve(undefined);
    callback();
  }

  get text(): string {
    return Buffer.concat(this.input).toString();
  }
}

interface Setup {
  readonly engine: FakeEngine;
  readonly process: FakeProcess;
  readonly dial: () => Promise<Client>;
}

interface Client {
  readonly socket: Socket;
  received(): string;
  /** Resolves once what came contains the text, or the server has ended. */
  until(text: string): Promise<void>;
  readonly end: Promise<unknown>;
}

async function setUp(t: TestContext): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  const engine = fakeEngine();
  engine.containers.push(
    fakeContainer({ config: { OpenStdin: true } }),
    fakeContainer({ id: '2'.repeat(64), name: 'tty', config: { OpenStdin: true, Tty: true } }),
  );
  engine.execs.push({
    id: 'e1',
    containerId: '1'.repeat(64),
    command: ['cat'],
    tty: false,
    attachStdin: true,
    attachStdout: true,
    attachStderr: true,
    detachKeys: undefined,
    privileged: false,
    user: '',
    state: { status: 'created' },
  });
  const process = new FakeProcess();
  engine.override({
    attach: async () => Promise.resolve(process),
    startExec: async (id, { accept, ...options }) => {
      engine.calls.push(['startExec', id, options]);
      await accept?.();
      return options.detach ? undefined : process;
    },
  });
  const server = createApiServer({ backends: engine.backends, engineVersion: '1' });
  const path = join(folder, 'api.sock');
  await server.listen({ path });
  const sockets: Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
    rmSync(folder, { recursive: true });
  });
  return { engine, process, dial: async () => dial(path, sockets) };
}

async function dial(path: string, sockets: Socket[]): Promise<Client> {
  const socket = connect({ path, allowHalfOpen: true });
  sockets.push(socket);
  await new Promise((resolve) => socket.once('connect', resolve));
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => socket.destroy());
  const end = new Promise((resolve) => {
    socket.once('end', resolve);
    socket.once('close', resolve);
  });
  return {
    socket,
    end,
    received: () => text,
    until: async (wanted) => {
      while (!text.includes(wanted)) {
        await Promise.race([end, new Promise((resolve) => socket.once('data', resolve))]);
        if (socket.readableEnded || socket.destroyed) return;
      }
    },
  };
}

const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const attachRequest = (name: string, headers: string, query = 'stream=1&stdin=1&stdout=1'): string =>
  `POST /v1.45/containers/${name}/attach?${query} HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n`;

const answer101 =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
const answer200 = 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n';
/** What the answer to exec start has besides. */
const engineFields =
  'Api-Version: 1.56\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Docker/1 (linux)\r\n\r\n';

for (const [kind, headers, answer, input] of [
  // What looks like a request must not be parsed as one.
  ['with an upgrade', upgrade, answer101, 'PUT early\n'],
  ['without an upgrade', '', answer200, 'early\n'],
] as const) {
  test(`attach ${kind} takes input sent with the request, and output after the end of input`, async (t) => {
    const { process, dial } = await setUp(t);
    const client = await dial();
    client.socket.write(`${attachRequest('web', headers)}${input}`);
    client.socket.end();
    await process.ended.promise;
    assert.equal(process.text, input);
    process.push('out');
    process.push(null);
    await client.end;
    assert.equal(client.received(), `${answer}out`);
  });

  test(`attach ${kind} takes input that follows later`, async (t) => {
    const { process, dial } = await setUp(t);
    const client = await dial();
    client.socket.write(attachRequest('web', headers));
    await client.until('\r\n\r\n');
    client.socket.end('hello\n');
    await process.ended.promise;
    assert.equal(process.text, 'hello\n');
    process.push(null);
    await client.end;
    assert.equal(client.received(), answer);
  });

  test(`exec start ${kind} reads its body and not a byte more`, async (t) => {
    for (const cut of [0, 5, 21, 30]) {
      await t.test(`cut at ${cut}`, async (t) => {
        const { engine, process, dial } = await setUp(t);
        const client = await dial();
        const body = '{"Detach":false,"Tty":false}\n';
        client.socket.write(
          `POST /v1.45/exec/e1/start HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${`${body}${input}`.slice(0, cut)}`,
        );
        await new Promise(setImmediate);
        client.socket.end(`${body}${input}`.slice(cut));
        await process.ended.promise;
        assert.equal(process.text, input);
        assert.deepEqual(engine.calls, [['startExec', 'e1', { detach: false, tty: false }]]);
        process.push('bye');
        process.push(null);
        await client.end;
        assert.equal(client.received(), `${answer.slice(0, -2)}${engineFields}bye`);
      });
    }
  });
}

test('attach ends the connection with the output although the client keeps its side open', async (t) => {
  const { process, dial } = await setUp(t);
  const client = await dial();
  client.socket.write(attachRequest('web', upgrade));
  await client.until('\r\n\r\n');
  process.push('x');
  process.push(null);
  await client.end;
  assert.equal(client.received(), `${answer101}x`);
});

test('attach lets go of a silent process when its client has ended sending and then vanishes', async (t) => {
  const { process, dial } = await setUp(t);
  const client = await dial();
  client.socket.write(attachRequest('web', upgrade, 'stream=1&stdout=1'));
  client.socket.end();
  await client.until('\r\n\r\n');
  const gone = new Promise((resolve) => process.once('close', resolve));
  client.socket.destroy();
  await gone;
});

test('attach without stdin does not end the input of the process', async (t) => {
  const { process, dial } = await setUp(t);
  const client = await dial();
  client.socket.write(attachRequest('web', upgrade, 'stream=1&stdout=1'));
  client.socket.end();
  await client.until('\r\n\r\n');
  process.push('x');
  await client.until('x');
  assert.equal(process.writableEnded, false);
  process.push(null);
  await client.end;
});

test('attach is destroyed, not ended, when the client vanishes', async (t) => {
  const { process, dial } = await setUp(t);
  const client = await dial();
  client.socket.write(attachRequest('web', upgrade, 'stream=1&stdout=1'));
  await client.until('\r\n\r\n');
  client.socket.destroy();
  const closed = new Promise((resolve) => process.once('close', resolve));
  // A client that is gone shows when it is written to.
  while (!process.destroyed) {
    process.push('x');
    await new Promise(setImmediate);
  }
  await closed;
  assert.equal(process.writableEnded, false);
});

test('attach to a tty sends bytes as they are and detaches at the keys', async (t) => {
  const { process, dial } = await setUp(t);
  const client = await dial();
  client.socket.write(attachRequest('tty', upgrade));
  await client.until('\r\n\r\n');
  client.socket.write('ls\x10x\x10\x11more');
  await client.end;
  assert.match(
    client.received(),
    /^HTTP\/1\.1 101 UPGRADED\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/,
  );
  assert.equal(process.text, 'ls\x10x');
  assert.equal(process.writableEnded, false);
  assert.ok(process.destroyed);
});

test('attach tells errors on the bare connection', async (t) => {
  const { dial } = await setUp(t);
  for (const [request, status, message] of [
    [attachRequest('nope', upgrade), 404, 'No such container: nope'],
    [attachRequest('nope', ''), 404, 'No such container: nope'],
    [attachRequest('web', upgrade, 'detachKeys=foo'), 400, 'Invalid detach keys (foo) provided'],
    [attachRequest('web', '', 'detachKeys=ctrl-p,zz'), 400, 'Invalid detach keys (ctrl-p,zz) provided'],
  ] as const) {
    const client = await dial();
    client.socket.write(request);
    await client.until(`${message}\r\n`);
    assert.match(client.received(), new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.ok(client.received().endsWith(`\r\n\r\n${message}\r\n`));
    client.socket.destroy();
  }
});

test('exec start with Detach answers 200 without a body, also when an upgrade was asked for', async (t) => {
  const { dial } = await setUp(t);
  for (const headers of ['', upgrade]) {
    const client = await dial();
    const body = '{"Detach":true}';
    client.socket.write(
      `POST /exec/e1/start HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await client.until('\r\n\r\n');
    assert.match(client.received(), /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(client.received(), /Content-Length: 0\r\n/);
    client.socket.destroy();
  }
});

test('a failure of the streams is told on the connection', async (t) => {
  const { process, dial } = await setUp(t);
  const client = await dial();
  client.socket.write(attachRequest('web', upgrade));
  await client.until('\r\n\r\n');
  process.destroy(new Error('the supervisor has gone'));
  await client.end;
  assert.ok(client.received().endsWith('\x03\0\0\0\0\0\0\x18the supervisor has gone\n'));
});

const startRequest = (body: string): string =>
  `POST /exec/e1/start HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test('exec start answers before the process starts, and tells on the stream why it did not', async (t) => {
  const { engine, dial } = await setUp(t);
  const failing = Promise.withResolvers<never>();
  engine.override({
    startExec: async (_id, { accept }) => {
      await accept?.();
      return failing.promise;
    },
  });
  const client = await dial();
  client.socket.write(startRequest('{}'));
  await client.until('\r\n\r\n');
  assert.match(client.received(), /^HTTP\/1\.1 101 UPGRADED\r\n(.+\r\n)*Api-Version: \d/);
  failing.reject(new EngineError('conflict', 'no such program'));
  await client.end;
  assert.ok(client.received().endsWith('\r\n\r\n\x01\0\0\0\0\0\0\x11no such program\r\n'));
});

test('exec start refuses before it takes the connection what a container refuses', async (t) => {
  const { engine, dial } = await setUp(t);
  engine.override({
    startExec: async () => Promise.reject(new EngineError('conflict', 'it is paused')),
  });
  const client = await dial();
  client.socket.write(startRequest('{}'));
  await client.until('}\n');
  assert.match(client.received(), /^HTTP\/1\.1 409 Conflict\r\n[^]*\{"message":"it is paused"\}\n$/);
});

for (const [tty, body, output, received] of [
  [true, '{"Tty":false}', 'bytes', '\x01\0\0\0\0\0\0\x05bytes'],
  [false, '{"Tty":true}', '\x02\0\0\0\0\0\0\x05bytes', 'bytes'],
] as const) {
  test(`an exec with Tty ${tty} started with ${body} answers in the form that the start asks for`, async (t) => {
    const { engine, process, dial } = await setUp(t);
    const exec = engine.execs[0];
    assert.ok(exec);
    engine.execs[0] = { ...exec, tty };
    const client = await dial();
    client.socket.write(startRequest(body));
    await client.until('\r\n\r\n');
    process.push(output);
    process.push(null);
    await client.end;
    assert.ok(client.received().endsWith(`\r\n\r\n${received}`), client.received());
  });
}

test('close() cuts hijacked connections', async (t) => {
  const engine = fakeEngine();
  engine.containers.push(fakeContainer());
  engine.override({ attach: async () => Promise.resolve(new FakeProcess()) });
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = createApiServer({ backends: engine.backends, engineVersion: '1' });
  await server.listen({ path: join(folder, 's') });
  const client = await dial(join(folder, 's'), []);
  client.socket.write(attachRequest('web', upgrade));
  await client.until('\r\n\r\n');
  await server.close();
  await client.end;
});

test('attach/ws carries bytes without frames both ways', async (t) => {
  const engine = fakeEngine();
  engine.containers.push(fakeContainer({ config: { OpenStdin: true } }));
  const process = new FakeProcess();
  engine.override({ attach: async () => Promise.resolve(process) });
  await using server = createApiServer({ backends: engine.backends, engineVersion: '1' });
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  assert.ok('port' in address);
  const base = `127.0.0.1:${address.port}/containers/web/attach/ws?stream=1&stdin=1&stdout=1`;
  const socket = new WebSocket(`ws://${base}`);
  socket.binaryType = 'arraybuffer';
  const messages: string[] = [];
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  socket.onmessage = ({ data }) => messages.push(Buffer.from(data as ArrayBuffer).toString());
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  const long = 'x'.repeat(70_000);
  socket.send('hi');
  socket.send(Buffer.from(long));
  while (process.text.length < 70_002) await new Promise(setImmediate);
  assert.equal(process.text, `hi${long}`);
  // A frame in two pieces, and one of the other stream behind it.
  process.push(Buffer.from([1, 0, 0, 0, 0, 0, 0, 3, 0x61]));
  process.push(Buffer.concat([Buffer.from('bc'), Buffer.from([2, 0, 0, 0, 0, 0, 0, 1]), Buffer.from('d')]));
  process.push(null);
  await closed;
  assert.equal(messages.join(''), 'abcd');
  const plain = await fetch(`http://${base}`);
  assert.equal(plain.status, 400);
  assert.deepEqual(await plain.json(), { message: 'not websocket protocol' });
  t.diagnostic('closed in order');
});
