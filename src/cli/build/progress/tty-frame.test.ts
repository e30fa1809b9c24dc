import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { StatusResponseSchema } from '#buildkit';
import { BuildTrace } from './build-trace.ts';
import { ttyFrame } from './tty-frame.ts';

function traced(): BuildTrace {
  const trace = new BuildTrace();
  const time = timestampFromMs(1000);
  trace.update(
    create(StatusResponseSchema, {
      vertexes: [
        { digest: 'a', name: 'first', started: time, completed: timestampFromMs(2500) },
        { digest: 'b', name: 'second', started: time },
        { digest: 'c', name: 'third' },
      ],
      statuses: [{ id: 'fetching', vertex: 'b', current: 5n, total: 10n, timestamp: time, started: time }],
      logs: [{ vertex: 'b', timestamp: time, msg: Buffer.from('one\n50%\r\u001b[1m100%\u001b[0m\n') }],
    }),
  );
  return trace;
}

test('ttyFrame() shows steps, what goes on in them and the last lines of those that run', () => {
  const rows = ttyFrame(traced(), { now: 3000, columns: 40, rows: 20, isFinished: false });
  assert.deepEqual(
    rows.map(({ text, paint }) => [text.trimEnd().replace(/ {2,}/g, '  '), paint]),
    [
      ['[+] Building 2.0s (1/3)  docker:default', 'plain'],
      [' => first  1.5s', 'done'],
      [' => second  2.0s', 'plain'],
      [' => => fetching 5B / 10B  2.0s', 'plain'],
      [' => => # one', 'output'],
      [' => => # 100%', 'output'],
    ],
  );
  assert.ok(rows.every(({ text }) => text.length < 40));
});

test('ttyFrame() leaves out lines of finished steps where there is no room, and output at the end', () => {
  const few = ttyFrame(traced(), { now: 3000, columns: 40, rows: 5, isFinished: false });
  assert.equal(few.length, 5);
  assert.ok(!few.some(({ text }) => text.includes('first')));
  const last = ttyFrame(traced(), { now: 3000, columns: 60, rows: Infinity, isFinished: true });
  assert.match(last[0]?.text ?? '', /^\[\+\] Building 1\.5s \(1\/3\) FINISHED +docker:default$/);
  assert.ok(!last.some(({ paint }) => paint === 'output'));
});
