import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLogger } from '#kernel';
import { readLogs } from '../log-reader.ts';
import { openLogSink, type LogSink } from '../log-sink.ts';
import { LogShipping, type ShippedLog } from './log-shipping.ts';

async function until(probe: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!probe()) {
    assert.ok(Date.now() < deadline, `not in time: ${probe.toString()}`);
    await delay(5);
  }
}

interface Target {
  text: string;
  readonly port: number;
  readonly server: Server;
}

async function listen(t: TestContext): Promise<Target> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (data: Buffer) => {
      target.text += data.toString();
    });
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const target = { text: '', port: (server.address() as AddressInfo).port, server };
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return target;
}

function log(t: TestContext, port: number): { shipped: ShippedLog; sink: LogSink; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-ship-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'local-logs', 'container-cached.log');
  const shipped = {
    driver: 'syslog',
    options: { 'syslog-address': `tcp://127.0.0.1:${port}` },
    info: {
      containerId: 'c'.repeat(64),
      containerName: 'web',
      imageId: 'sha256:0',
      imageName: 'busybox',
      createdAt: 0n,
      entrypoint: 'sh',
      args: [],
      env: [],
      labels: {},
      hostname: 'host',
    },
    path,
    positionPath: join(folder, 'log-position.json'),
  };
  const sink = openLogSink({ driver: 'json-file', path, maxSize: 2000, maxFiles: 100, compress: true });
  return { shipped, sink, folder };
}

async function write(sink: LogSink, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 1) await sink.write('stdout', Buffer.from(`n${index}.\n`));
  await sink.flush();
}

const numbers = (text: string): number[] =>
  [...text.matchAll(/n(\d+)\./g)].map(([, number]) => Number(number));
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

test('LogShipping goes on where another stopped, over compressed rotations, without loss or repetition', async (t) => {
  const target = await listen(t);
  const { shipped, sink, folder } = log(t, target.port);
  {
    await using first = new LogShipping({ logger: silentLogger });
    await first.open(shipped);
    await write(sink, 0, 100);
    await until(() => numbers(target.text).length >= 100);
  }
  await write(sink, 100, 300);
  await until(() => readdirSync(join(folder, 'local-logs')).some((name) => name.endsWith('.gz')));
  await using second = new LogShipping({ logger: silentLogger });
  second.resume(shipped, true);
  await write(sink, 300, 400);
  await sink.close();
  await second.finish(shipped.info.containerId);
  await until(() => numbers(target.text).length >= 400);
  assert.deepEqual(numbers(target.text), range(0, 400));
});

test('LogShipping.open() rejects when the target is not there', async (t) => {
  const target = await listen(t);
  target.server.close();
  const { shipped } = log(t, target.port);
  await using shipping = new LogShipping({ logger: silentLogger });
  await assert.rejects(shipping.open(shipped), {
    message: `dial tcp 127.0.0.1:${target.port}: connect: connection refused`,
  });
  const journal = { ...shipped, driver: 'journald', options: {} };
  await using elsewhere = new LogShipping({ logger: silentLogger, journalSocket: '/nonexistent/socket' });
  await assert.rejects(elsewhere.open(journal), { message: 'journald is not enabled on this host' });
});

test('readLogs() reads compressed files, their tail too', async (t) => {
  const { sink, shipped, folder } = log(t, 1);
  await write(sink, 0, 200);
  await sink.close();
  const inFolder = (): string[] => readdirSync(join(folder, 'local-logs'));
  await until(() => inFolder().filter((name) => name.endsWith('.gz')).length === inFolder().length - 1);
  const read = async (tail?: number): Promise<number[]> => {
    const found: number[] = [];
    for await (const { bytes } of readLogs({ path: shipped.path, stdout: true, stderr: true, tail }))
      found.push(...numbers(bytes.toString()));
    return found;
  };
  assert.deepEqual(await read(), range(0, 200));
  assert.deepEqual(await read(90), range(110, 200));
});
