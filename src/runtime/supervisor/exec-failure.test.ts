import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inPlainWords } from './exec-failure.ts';

const json = (msg: string): Buffer =>
  Buffer.from(`{"msg":"${msg}","level":"error","time":"2026-01-02T03:04:05.000006Z"}\n`);

const cases: readonly [Buffer, string][] = [
  [
    json('exec container process (missing dynamic library?) `/a.sh`: No such file or directory'),
    'exec /a.sh: no such file or directory\n',
  ],
  [json('exec container process `/text`: Exec format error'), 'exec /text: exec format error\n'],
  [json('something else'), json('something else').toString()],
  [Buffer.from('{}'), '{}'],
  [Buffer.from('hello'), 'hello'],
];

for (const [output, expected] of cases) {
  test(`inPlainWords() makes ${expected.slice(0, 30).trim()} of ${output.toString().slice(0, 30)}`, () => {
    assert.equal(inPlainWords(output).toString(), expected);
  });
}
