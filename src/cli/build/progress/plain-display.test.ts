import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { StatusResponseSchema, type StatusResponse } from '#buildkit';
import { PlainDisplay } from './plain-display.ts';

const at = (milliseconds: number): ReturnType<typeof timestampFromMs> => timestampFromMs(milliseconds);

/** What a display makes of messages that come at once. */
function shown(...messages: readonly StatusResponse[]): string {
  let text = '';
  const display = new PlainDisplay({ write: (bytes) => void (text += String(bytes)) }, () => 0);
  for (const message of messages) display.update(message);
  display.end();
  return text;
}

const vertex = (
  digest: string,
  values: { started?: number; completed?: number; cached?: boolean; error?: string } = {},
): StatusResponse =>
  create(StatusResponseSchema, {
    vertexes: [
      {
        digest,
        name: `step ${digest}`,
        cached: values.cached ?? false,
        error: values.error ?? '',
        ...(values.started !== undefined && { started: at(values.started) }),
        ...(values.completed !== undefined && { completed: at(values.completed) }),
      },
    ],
  });

const log = (digest: string, time: number, text: string): StatusResponse =>
  create(StatusResponseSchema, {
    logs: [{ vertex: digest, timestamp: at(time), stream: 1n, msg: Buffer.from(text) }],
  });

test('PlainDisplay shows steps with their output, one after the other', () => {
  assert.equal(
    shown(
      vertex('a'),
      vertex('b', { started: 0 }),
      vertex('a', { started: 1000 }),
      log('b', 123, 'one\ntw'),
      log('a', 1500, 'else\n'),
      log('b', 12_345, 'o\nthree'),
      vertex('b', { started: 0, completed: 13_000 }),
      vertex('a', { started: 1000, completed: 2000, cached: true }),
    ),
    '#1 step b\n#1 0.123 one\n#1 0.123 two\n#1 12.35 three\n#1 DONE 13.0s\n' +
      '\n#2 step a\n#2 0.500 else\n#2 CACHED\n',
  );
});

test('PlainDisplay shows transfers, warnings, and at the end the last lines of what failed', () => {
  const transfer = create(StatusResponseSchema, {
    statuses: [
      {
        ...{ id: 'transferring context:', vertex: 'a', name: 'transferring', current: 2_500n, total: 0n },
        ...{ timestamp: at(600), started: at(100), completed: at(600) },
      },
    ],
    warnings: [{ vertex: 'a', level: 1n, short: Buffer.from('beware') }],
  });
  const lines = Array.from({ length: 12 }, (_, index) => `line ${index}\n`).join('');
  const text = shown(
    vertex('a', { started: 0 }),
    transfer,
    log('a', 0, lines),
    vertex('a', { started: 0, completed: 1000, error: 'no good' }),
  );
  assert.match(
    text,
    /^#1 step a\n#1 transferring context: 2.50kB 0.5s done\n#1 WARN: beware\n#1 0.000 line 0\n/,
  );
  assert.match(text, /#1 ERROR: no good\n------\n > step a:\n0.000 line 2\n(.*\n){9}------\n$/);
});
