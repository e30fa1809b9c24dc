import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { busyboxArchive, eventually, startDaemon, type Daemon } from '../setup/index.ts';

async function succeed(daemon: Daemon, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(args);
  assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A log server over UDP on loopback, which keeps every datagram. */
async function udpServer(): Promise<{ port: number; received: Buffer[] } & Disposable> {
  const received: Buffer[] = [];
  const socket = createSocket('udp4').on('message', (message) => received.push(message));
  await new Promise<void>((resolve) => void socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, received, [Symbol.dispose]: () => void socket.close() };
}

/** The same over TCP; it can be stopped and started again at its port. */
class TcpServer implements AsyncDisposable {
  readonly chunks: Buffer[] = [];
  port = 0;
  #server = createServer();
  readonly #sockets = new Set<Socket>();

  async start(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('data', (data: Buffer) => this.chunks.push(data));
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('end', () => socket.end());
    });
    await new Promise<void>((resolve) => void this.#server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

test('log drivers', async (t) => {
  await using daemon = await startDaemon();
  await succeed(daemon, 'load', '-i', await busyboxArchive());

  await t.test('syslog over UDP has a datagram for each line, and logs can be read', async () => {
    using server = await udpServer();
    const address = `syslog-address=udp://127.0.0.1:${server.port}`;
    const options = ['--log-driver', 'syslog', '--log-opt', address, '--log-opt', 'tag={{.Name}}'];
    const args = ['run', '-d', '--name', 'sys', '--network', 'none', ...options];
    await succeed(daemon, ...args, 'busybox', 'sh', '-c', 'echo hello; echo oops >&2');
    await eventually(() => server.received.length === 2);
    const lines = server.received.map(String).sort();
    assert.match(lines[0] ?? '', /^<27>\w{3} [ \d]\d \d\d:\d\d:\d\d sys\[\d+\]: oops\n$/);
    assert.match(lines[1] ?? '', /^<30>\w{3} [ \d]\d \d\d:\d\d:\d\d sys\[\d+\]: hello\n$/);
    assert.equal(await succeed(daemon, 'logs', 'sys'), 'hello\n');
  });

  await t.test('gelf over UDP is compressed and chunked', async () => {
    using server = await udpServer();
    const options = ['--log-driver', 'gelf', '--log-opt', `gelf-address=udp://127.0.0.1:${server.port}`];
    const more = ['--log-opt', 'labels=tier', '--label', 'tier=web'];
    await succeed(daemon, 'run', '-d', '--network', 'none', ...options, ...more, 'busybox', 'echo', 'hello');
    await eventually(() => server.received.length === 1);
    const message = JSON.parse(gunzipSync(server.received[0]!).toString()) as Record<string, unknown>;
    assert.equal(message['short_message'], 'hello');
    assert.equal(message['_tier'], 'web');
    const plain = [...options, '--log-opt', 'gelf-compression-type=none'];
    const long = 'head -c 5000 /dev/zero | tr "\\0" x';
    await succeed(daemon, 'run', '-d', '--network', 'none', ...plain, 'busybox', 'sh', '-c', long);
    await eventually(() => server.received.length === 5);
    const chunks = server.received.slice(1);
    assert.ok(chunks.every((chunk) => chunk.readUInt16BE(0) === 0x1e0f && chunk[11] === chunks.length));
    const whole = Buffer.concat(chunks.map((chunk) => chunk.subarray(12))).toString();
    assert.equal((JSON.parse(whole) as Record<string, unknown>)['short_message'], 'x'.repeat(5000));
  });

  await t.test('fluentd that is not there fails the start, unless it may come later', async () => {
    await using server = new TcpServer();
    await server.start();
    await server.stop();
    const options = ['--log-driver', 'fluentd', '--log-opt', `fluentd-address=127.0.0.1:${server.port}`];
    const run = ['run', '-d', '--network', 'none', ...options];
    const refused = await daemon.docker([...run, '--name', 'refused', 'busybox', 'echo', 'no']);
    assert.notEqual(refused.code, 0);
    assert.match(
      refused.stderr,
      /failed to create task for container: failed to initialize logging driver: dial tcp 127\.0\.0\.1:\d+: connect: connection refused/,
    );
    await succeed(daemon, ...run, '--log-opt', 'fluentd-async=true', 'busybox', 'echo', 'patient');
    await server.start();
    await eventually(() => server.text().includes('patient'));
    assert.ok(Buffer.concat(server.chunks).includes('\xa3log\xa7patient', 0, 'latin1'));
  });

  await t.test('a kill -9 of the daemon amid shipping loses nothing and repeats little', async () => {
    await using server = new TcpServer();
    await server.start();
    const address = `syslog-address=tcp://127.0.0.1:${server.port}`;
    const options = ['--log-driver', 'syslog', '--log-opt', address, '--log-opt', 'cache-max-size=50k'];
    const script =
      'i=0; while [ $i -lt 3000 ]; do echo line $i.; i=$((i+1)); [ $((i%500)) = 0 ] && sleep 0.2; done';
    const run = ['run', '-d', '--name', 'chatty', '--network', 'none', ...options];
    await succeed(daemon, ...run, 'busybox', 'sh', '-c', script);
    await eventually(() => server.text().includes('line 700.'));
    await daemon.kill9();
    await server.stop();
    await server.start();
    await daemon.start();
    await eventually(() => server.text().includes('line 2999.'), { timeout: 20_000 });
    const numbers = [...server.text().matchAll(/line (\d+)\./g)].map(([, number]) => Number(number));
    const distinct = [...new Set(numbers)];
    assert.deepEqual(
      distinct,
      Array.from({ length: 3000 }, (_, index) => index),
    );
    assert.ok(numbers.length - distinct.length <= 64, `${numbers.length - distinct.length} repeated`);
  });

  await t.test('logs --clear empties the log of a running container', async () => {
    await succeed(
      daemon,
      'run',
      '-d',
      '--name',
      'clear',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      'echo old; read x < /tmp/go 2>/dev/null || mkfifo /tmp/go; read x < /tmp/go; echo new; sleep 100',
    );
    await eventually(async () => (await succeed(daemon, 'logs', 'clear')) === 'old\n');
    assert.equal((await daemon.wharf(['logs', '--clear', 'clear'])).code, 0);
    assert.equal(await succeed(daemon, 'logs', 'clear'), '');
    await succeed(daemon, 'exec', 'clear', 'sh', '-c', 'echo go > /tmp/go');
    await eventually(async () => (await succeed(daemon, 'logs', 'clear')) === 'new\n');
  });

  await t.test('unknown drivers and options are refused by name', async () => {
    const table: readonly (readonly [readonly string[], RegExp])[] = [
      [['--log-driver', 'awslogs'], /error looking up logging plugin awslogs: plugin "awslogs" not found/],
      [['--log-driver', 'gelf'], /gelf-address is a required parameter/],
      [['--log-opt', 'bogus=1'], /unknown log opt 'bogus' for json-file log driver/],
      [['--log-opt', 'max-size=5x'], /failed to initialize logging driver: invalid suffix: 'x'/],
    ];
    for (const [flags, expected] of table) {
      const { code, stderr } = await daemon.docker(['run', '--rm', ...flags, 'busybox', 'true']);
      assert.equal(code, 125, stderr);
      assert.match(stderr, expected);
    }
  });
});
