import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachKeyFilter, parseDetachKeys } from './detach-keys.ts';

test('parseDetachKeys() reads letters, control keys and DEL', () => {
  assert.deepEqual([...parseDetachKeys('')], [16, 17]);
  assert.deepEqual([...parseDetachKeys('ctrl-x,a')], [24, 97]);
  assert.deepEqual(
    [...parseDetachKeys('ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_')],
    [0, 27, 28, 29, 30, 31],
  );
  assert.deepEqual([...parseDetachKeys('DEL')], [127]);
});

for (const text of ['foo', 'ctrl-', 'ctrl-A', 'ctrl-p,', 'a,,b', 'ctrl-é']) {
  test(`parseDetachKeys() refuses ${text}`, () => {
    assert.throws(() => parseDetachKeys(text), {
      kind: 'invalidArgument',
      message: `Invalid detach keys (${text}) provided`,
    });
  });
}

async function filter(keys: string, chunks: readonly string[]): Promise<{ text: string; detached: boolean }> {
  let detached = false;
  const stream = new DetachKeyFilter(parseDetachKeys(keys), () => {
    detached = true;
  });
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  const passed = await stream.toArray();
  return { text: Buffer.concat(passed as Buffer[]).toString(), detached };
}

for (const [keys, chunks, text, detached] of [
  ['', ['abc'], 'abc', false],
  ['', ['a\x10', '\x11b'], 'a', true],
  ['', ['a\x10', 'b\x11'], 'a\x10b\x11', false],
  ['', ['\x10\x10\x11'], '\x10', true],
  ['', ['\x10'], '\x10', false],
  ['a,b,c', ['ab', 'ab', 'cd'], 'ab', true],
  ['q', ['xq', 'z'], 'x', true],
] as const) {
  test(`DetachKeyFilter with ${JSON.stringify(keys)} passes ${JSON.stringify(text)} of ${JSON.stringify(chunks)}`, async () => {
    assert.deepEqual(await filter(keys, chunks), { text, detached });
  });
}
