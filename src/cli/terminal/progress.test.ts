import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgressMessage } from '#api/types';
import { Detached, defaultDetachKeys, parseDetachKeys, untilDetached } from './detach-keys.ts';
import { StreamError, showProgress } from './progress.ts';

async function shown(
  messages: readonly ProgressMessage[],
  isTerminal: boolean,
  columns = 140,
): Promise<string> {
  let text = '';
  const stream = async function* (): AsyncGenerator<ProgressMessage, void, undefined> {
    await Promise.resolve();
    yield* messages;
  };
  await showProgress(stream(), { write: (bytes) => void (text += String(bytes)) }, { isTerminal, columns });
  return text;
}

const pull: readonly ProgressMessage[] = [
  { status: 'Pulling from library/x', id: 'latest' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'aa' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'bb' },
  {
    status: 'Downloading',
    progressDetail: { current: 500, total: 1000 },
    progress: '[=> ] 500B/1kB',
    id: 'aa',
  },
  { status: 'Pull complete', progressDetail: {}, id: 'aa' },
  { status: 'Digest: sha256:0' },
];

test('showProgress() prints words only where there is no terminal', async () => {
  assert.equal(
    await shown(pull, false),
    'latest: Pulling from library/x\naa: Pulling fs layer\nbb: Pulling fs layer\naa: Pull complete\nDigest: sha256:0\n',
  );
});

test('showProgress() redraws each line in place on a terminal', async () => {
  const bar = `[${'='.repeat(25)}>${' '.repeat(25)}]     500B/1kB`;
  assert.equal(
    await shown(pull, true),
    'latest: Pulling from library/x\n' +
      '\n\u001b[1A\u001b[2K\raa: Pulling fs layer \r\u001b[1B' +
      '\n\u001b[1A\u001b[2K\rbb: Pulling fs layer \r\u001b[1B' +
      `\u001b[2A\u001b[2K\raa: Downloading ${bar}\r\u001b[2B` +
      '\u001b[2A\u001b[2K\raa: Pull complete \r\u001b[2B' +
      'Digest: sha256:0\n',
  );
});

test('showProgress() leaves the bar out of narrow terminals and prints streams as they are', async () => {
  assert.match(await shown(pull, true, 80), /aa: Downloading {5}500B\/1kB\r/);
  assert.equal(await shown([{ stream: 'Loaded image: x\n' }], false), 'Loaded image: x\n');
});

test('showProgress() throws what the stream reports', async () => {
  await assert.rejects(
    shown([{ error: 'bad', errorDetail: { message: 'really bad' } }], false),
    new StreamError('really bad'),
  );
});

async function typed(
  chunks: readonly string[],
  keys: Uint8Array = defaultDetachKeys,
): Promise<{ passed: string; left: boolean }> {
  const input = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    await Promise.resolve();
    for (const chunk of chunks) yield Buffer.from(chunk);
  };
  let passed = '';
  try {
    for await (const chunk of untilDetached(input(), keys)) passed += Buffer.from(chunk).toString();
    return { passed, left: false };
  } catch (error) {
    if (!(error instanceof Detached)) throw error;
    return { passed, left: true };
  }
}

test('untilDetached() finds the keys over several reads and gives back what was none', async () => {
  assert.deepEqual(await typed(['ls\n', '\u0010', '\u0011', 'more']), { passed: 'ls\n', left: true });
  assert.deepEqual(await typed(['a\u0010b']), { passed: 'a\u0010b', left: false });
  assert.deepEqual(await typed(['\u0010\u0010\u0011']), { passed: '\u0010', left: true });
  assert.deepEqual(await typed(['xy'], parseDetachKeys('x,y')), { passed: '', left: true });
});

test('parseDetachKeys() reads control keys and letters', () => {
  assert.deepEqual([...parseDetachKeys('ctrl-a,b,ctrl-@,ctrl-_')], [1, 98, 0, 31]);
  assert.throws(() => parseDetachKeys('ctrl-1'), /Unknown character: 'ctrl-1'/);
});
