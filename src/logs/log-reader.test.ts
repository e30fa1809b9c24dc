import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { formatTime } from '#kernel';
import { clearLogs } from './log-file.ts';
import { readLogs, type ReadLogsOptions } from './log-reader.ts';
import { openLogSink, type LogSink } from './log-sink.ts';

function logPath(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'wharf-logs-'));
  t.after(() => rmSync(path, { recursive: true }));
  return join(path, 'c-json.log');
}

const sinkAt = (path: string, maxSize?: number, maxFiles = 1): LogSink =>
  openLogSink({ driver: 'json-file', path, maxSize, maxFiles });

async function collect(options: Partial<ReadLogsOptions> & { path: string }): Promise<string[]> {
  const logs: string[] = [];
  for await (const { bytes } of readLogs({ stdout: true, stderr: true, ...options }))
    logs.push(bytes.toString());
  return logs;
}

async function write(sink: LogSink, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 1) {
    await sink.write(index % 2 === 0 ? 'stdout' : 'stderr', Buffer.from(`line ${index}\n`));
  }
  await sink.flush();
}

const expected = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`);

test('readLogs() reads all, the tail, and one stream, across rotated files', async (t) => {
  const path = logPath(t);
  const sink = sinkAt(path, 500, 100);
  await write(sink, 0, 40);
  await sink.close();
  assert.deepEqual(await collect({ path }), expected(0, 40));
  assert.deepEqual(await collect({ path, tail: 0 }), []);
  assert.deepEqual(await collect({ path, tail: 1 }), expected(39, 40));
  assert.deepEqual(await collect({ path, tail: 17 }), expected(23, 40));
  assert.deepEqual(await collect({ path, tail: 1000 }), expected(0, 40));
  assert.deepEqual(await collect({ path, tail: 3, stdout: false }), ['line 37\n', 'line 39\n']);
});

test('readLogs() of a log that does not exist is empty', async (t) => {
  assert.deepEqual(await collect({ path: logPath(t) }), []);
});

test('readLogs() chooses by time', async (t) => {
  const path = logPath(t);
  for (let second = 0; second < 5; second += 1) {
    const time = formatTime(1_700_000_000_000_000_000n + BigInt(second) * 1_000_000_000n);
    appendFileSync(path, `{"log":"${second}\\n","stream":"stdout","time":"${time}"}\n`);
  }
  assert.deepEqual(
    await collect({ path, since: 1_700_000_001_000_000_000n, until: 1_700_000_003_000_000_000n }),
    ['1\n', '2\n', '3\n'],
  );
});

test('readLogs() passes over rubbish and an unfinished last line', async (t) => {
  const path = logPath(t);
  const sink = sinkAt(path);
  await write(sink, 0, 2);
  await sink.close();
  appendFileSync(path, '{"log":"cut');
  assert.deepEqual(await collect({ path }), expected(0, 2));
  assert.deepEqual(await collect({ path, tail: 1 }), expected(1, 2));
  const again = sinkAt(path);
  await write(again, 2, 3);
  await again.close();
  assert.deepEqual(await collect({ path }), expected(0, 3));
});

test('readLogs() follows over rotations until the end, at once', async (t) => {
  const path = logPath(t);
  const sink = sinkAt(path, 300, 3);
  await write(sink, 0, 2);
  const ended = Promise.withResolvers<undefined>();
  const seen: string[] = [];
  const waiting = new Map<number, () => void>();
  const following = (async () => {
    for await (const { bytes } of readLogs({
      path,
      stdout: true,
      stderr: true,
      follow: true,
      ended: ended.promise,
    })) {
      seen.push(bytes.toString());
      waiting.get(seen.length)?.();
    }
  })();
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      if (seen.length >= count) resolve();
      else waiting.set(count, resolve);
    });
  await until(2);
  for (let round = 0; round < 20; round += 1) {
    const from = 2 + round * 3;
    const begun = performance.now();
    await write(sink, from, from + 3);
    await until(from + 3);
    assert.ok(performance.now() - begun < 500, 'a follower learns of new records at once');
  }
  await write(sink, 62, 64);
  ended.resolve(undefined);
  await following;
  await sink.close();
  assert.deepEqual(seen, expected(0, 64));
});

test('readLogs() follows a file that does not exist yet, and ends by its signal', async (t) => {
  const path = logPath(t);
  const abort = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const { bytes } of readLogs({
      path,
      stdout: true,
      stderr: true,
      follow: true,
      signal: abort.signal,
    })) {
      seen.push(bytes.toString());
      abort.abort();
    }
  })();
  const sink = sinkAt(path);
  await write(sink, 0, 1);
  await following;
  await sink.close();
  assert.deepEqual(seen, expected(0, 1));
});

test('clearLogs() empties the log and leaves its writer and follower going', async (t) => {
  const path = logPath(t);
  const sink = sinkAt(path, 300, 5);
  await write(sink, 0, 20);
  await clearLogs(path);
  assert.deepEqual(await collect({ path }), []);
  await write(sink, 20, 22);
  await sink.close();
  assert.deepEqual(await collect({ path }), expected(20, 22));
});
