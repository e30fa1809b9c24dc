import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Clock } from '#kernel';
import { openLogSink, type LogSinkConfig } from './log-sink.ts';

const clock = (): Clock => {
  let now = 1_700_000_000_123_456_000n;
  return { now: () => (now += 1000n) };
};

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'wharf-logs-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const config = (path: string, more: Partial<LogSinkConfig> = {}): LogSinkConfig => ({
  driver: 'json-file',
  path,
  maxSize: undefined,
  maxFiles: 1,
  ...more,
});

const lines = (path: string): { log: string; stream: string; time: string; attrs?: object }[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { log: string; stream: string; time: string });

async function written(
  t: TestContext,
  chunks: (Buffer | string)[],
  more?: Partial<LogSinkConfig>,
): Promise<ReturnType<typeof lines>> {
  const path = join(folder(t), 'c-json.log');
  const sink = openLogSink(config(path, more), { clock: clock() });
  for (const chunk of chunks) await sink.write('stdout', Buffer.from(chunk));
  sink.end('stdout');
  await sink.close();
  return lines(path);
}

test('write() keeps lines as Docker json-file records', async (t) => {
  const path = join(folder(t), 'c-json.log');
  const sink = openLogSink(config(path, { attrs: { tag: 'ü' } }), { clock: clock() });
  await sink.write('stdout', Buffer.from('one\ntwo\n'));
  await sink.write('stderr', Buffer.from('three\n'));
  await sink.close();
  assert.equal(
    readFileSync(path, 'utf8'),
    '{"log":"one\\n","stream":"stdout","attrs":{"tag":"ü"},"time":"2023-11-14T22:13:20.123457Z"}\n' +
      '{"log":"two\\n","stream":"stdout","attrs":{"tag":"ü"},"time":"2023-11-14T22:13:20.123457001Z"}\n' +
      '{"log":"three\\n","stream":"stderr","attrs":{"tag":"ü"},"time":"2023-11-14T22:13:20.123458Z"}\n',
  );
});

test('write() joins lines over chunks and ends without a newline where the program did', async (t) => {
  assert.deepEqual(
    (await written(t, ['a', 'b\nc', '\n', 'tail'])).map(({ log }) => log),
    ['ab\n', 'c\n', 'tail'],
  );
});

const texts: [string, string | Buffer, string[]][] = [
  ['escapes', 'a\tb"\\n\\\u0001\u007f é\u2028😀\n', ['a\tb"\\n\\\u0001\u007f é\u2028😀\n']],
  ['a backslash before n', 'C:\\new\\\nx\n', ['C:\\new\\\n', 'x\n']],
  ['empty lines', '\n\n', ['\n', '\n']],
  [
    'invalid UTF-8, byte for byte as Go does',
    Buffer.from([0xff, 0x78, 0xed, 0xa0, 0x80, 0xc3, 0x78, 0xf0, 0x9f, 0x98, 0x0a]),
    ['\ufffdx\ufffd\ufffd\ufffd\ufffdx\ufffd\ufffd\ufffd\n'],
  ],
];
for (const [name, input, expected] of texts) {
  test(`write() keeps ${name}`, async (t) => {
    assert.deepEqual(
      (await written(t, [input])).map(({ log }) => log),
      expected,
    );
  });
}

test('write() cuts long lines into records of 16 KiB with one time', async (t) => {
  const records = await written(t, [
    'x'.repeat(40_000) + '\n' + 'y'.repeat(16_384) + '\n' + 'z'.repeat(16_383) + '\n',
  ]);
  assert.deepEqual(
    records.map(({ log }) => [log.length, log.endsWith('\n')]),
    [
      [16_384, false],
      [16_384, false],
      [7233, true],
      [16_384, false],
      [1, true],
      [16_384, true],
    ],
  );
  assert.equal(new Set(records.slice(0, 3).map(({ time }) => time)).size, 1);
  assert.notEqual(records[2]?.time, records[3]?.time);
});

test('write() never cuts inside a character', async (t) => {
  const text = 'x' + 'é'.repeat(20_000);
  const records = await written(t, [text]);
  assert.equal(records.map(({ log }) => log).join(''), text);
});

test('write() of any chunking gives the same records', async (t) => {
  const text = Buffer.from(`${'é\\"'.repeat(9000)}\nshort\n\n${'q'.repeat(50_000)}\nlast`);
  const whole = await written(t, [text]);
  const pieces: Buffer[] = [];
  for (let at = 0; at < text.length; at += 977) pieces.push(text.subarray(at, at + 977));
  assert.deepEqual(
    (await written(t, pieces)).map(({ log }) => log),
    whole.map(({ log }) => log),
  );
});

test('write() rotates by size and keeps so many files', async (t) => {
  const path = join(folder(t), 'c-json.log');
  const sink = openLogSink(config(path, { maxSize: 200, maxFiles: 3 }), { clock: clock() });
  for (let index = 0; index < 20; index += 1) await sink.write('stdout', Buffer.from(`line ${index}\n`));
  await sink.close();
  assert.equal(existsSync(`${path}.3`), false);
  const kept = [`${path}.2`, `${path}.1`, path].flatMap((file) => lines(file).map(({ log }) => log));
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, index) => `line ${20 - kept.length + index}\n`),
  );
  assert.ok(kept.length >= 6);
});

test('write() rotates inside a large chunk, in order', async (t) => {
  const path = join(folder(t), 'c-json.log');
  const sink = openLogSink(config(path, { maxSize: 20_000, maxFiles: 100 }), { clock: clock() });
  let text = '';
  for (let index = 0; index < 5000; index += 1) text += `line ${index}\n`;
  for (let at = 0; at < text.length; at += 65_536)
    await sink.write('stdout', Buffer.from(text.slice(at, at + 65_536)));
  await sink.close();
  let all: string[] = lines(path).map(({ log }) => log);
  for (let age = 1; existsSync(`${path}.${age}`); age += 1)
    all = [...lines(`${path}.${age}`).map(({ log }) => log), ...all];
  assert.equal(all.join(''), text);
});

test('openLogSink() goes on with the state of another in mid-line', async (t) => {
  const path = join(folder(t), 'c-json.log');
  const first = openLogSink(config(path), { clock: clock() });
  await first.write('stdout', Buffer.from('begun '.repeat(3000)));
  const state = first.save();
  await first.close();
  assert.ok(state);
  const second = openLogSink(config(path), { clock: clock(), state });
  await second.write('stdout', Buffer.from('ended\n'));
  await second.close();
  assert.equal(
    lines(path)
      .map(({ log }) => log)
      .join(''),
    `${'begun '.repeat(3000)}ended\n`,
  );
});

test('openLogSink() closes a line that a crash cut off', async (t) => {
  const path = join(folder(t), 'c-json.log');
  writeFileSync(path, '{"log":"ok\\n","stream":"stdout","time":"2023-11-14T22:13:20Z"}\n{"log":"cut');
  const sink = openLogSink(config(path), { clock: clock() });
  await sink.write('stdout', Buffer.from('next\n'));
  await sink.close();
  const raw = readFileSync(path, 'utf8').split('\n');
  assert.equal(raw[1], '{"log":"cut');
  assert.match(raw[2] ?? '', /next/);
  appendFileSync(path, '');
});
