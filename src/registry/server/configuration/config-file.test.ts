import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readConfigFile } from './config-file.ts';
import { parseSize, parseSpan, sizeInWords, spanInWords } from './units.ts';

let folder: string;
before(async () => (folder = await mkdtemp(join(tmpdir(), 'wharf-config-'))));
after(() => rm(folder, { recursive: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, 'registry.yaml');
  await writeFile(path, text);
  return path;
}

test('readConfigFile() reads every rule', async () => {
  await writeFile(join(folder, 'secret'), 'word\n');
  const path = await file(`
readOnly: true
immutableTags: '**:v*'
protectedTags: [team/app:stable]
access:
  - { repositories: ['**'], users: [ann], actions: [pull, push] }
retention:
  - repositories: ci/**
    tags: pr-*
    keep: { last: 3, pushedWithin: 2w, pulledWithin: 36h, tags: [pr-1] }
    untagged: 1d12h
quotas:
  - { repositories: ['ci/**'], size: 1.5GB }
  - { repositories: ['**'], size: 2000 }
webhooks:
  - url: https://ci.example/hook
    events: [push, pull]
    repositories: [team/**]
    secretFile: secret
    timeout: 5s
`);
  assert.deepEqual(readConfigFile(path), {
    readOnly: true,
    immutableTags: ['**:v*'],
    protectedTags: ['team/app:stable'],
    access: [{ repositories: ['**'], users: ['ann'], actions: ['pull', 'push'] }],
    retention: [
      {
        repositories: ['ci/**'],
        tags: ['pr-*'],
        keep: { last: 3, pushedWithin: 14 * 86_400_000, pulledWithin: 36 * 3_600_000, tags: ['pr-1'] },
        untagged: 36 * 3_600_000,
      },
    ],
    quotas: [
      { repositories: ['ci/**'], size: 1_500_000_000 },
      { repositories: ['**'], size: 2000 },
    ],
    webhooks: [
      {
        name: 'ci.example/hook',
        url: 'https://ci.example/hook',
        actions: ['push', 'pull'],
        repositories: ['team/**'],
        timeoutMs: 5_000,
        giveUpAfterMs: 259_200_000,
        secret: 'word',
        authorization: undefined,
        ca: undefined,
      },
    ],
  });
});

test('readConfigFile() names what is wrong, and where', async () => {
  for (const [text, message] of [
    ['quota: []', /quota: there is no such setting; known here: access, readOnly/],
    ['quotas: [{ repositories: [a], size: big }]', /quotas\[0\]\.size: "big" is no size/],
    [
      'retention: [{ repositories: [a], keep: { latest: 1 } }]',
      /retention\[0\]\.keep\.latest: there is no such/,
    ],
    ['retention: [{ repositories: [a], keep: {} }]', /retention\[0\]\.keep: says nothing/],
    ['retention: [{ repositories: [a], keep: { pushedWithin: 30 } }]', /keep\.pushedWithin: "30" is no span/],
    ['webhooks: [{ url: "https://a:b@c/" }]', /webhooks\[0\]\.url: a password does not belong/],
    ['webhooks: [{ url: "http://c/", secretFile: /nonexistent }]', /webhooks\[0\]\.secretFile: ENOENT/],
    ['webhooks: [{ url: "http://c/" }, { url: "http://c/?x" }]', /two are named c\//],
    [
      'access: [{ repositories: [a], users: [b], actions: [write] }]',
      /access\[0\]\.actions: write is none of/,
    ],
    ['readOnly: "yes"', /readOnly: expected true or false/],
    ['- 1', /expected names and values/],
  ] as const) {
    const path = await file(text);
    assert.throws(() => readConfigFile(path), message, text);
  }
});

test('sizes and spans of time are read and written', () => {
  assert.deepEqual(['10', '1kB', '1KiB', '2g', '1.5 TB'].map(parseSize), [10, 1000, 1024, 2e9, 1.5e12]);
  for (const text of ['', '1ib', 'GB', '-1', '1e3']) assert.throws(() => parseSize(text), /is no size/);
  assert.deepEqual(['90s', '1.5h', '1w'].map(parseSpan), [90_000, 5_400_000, 604_800_000]);
  for (const text of ['', '5', '1y', 'd']) assert.throws(() => parseSpan(text), /is no span of time/);
  assert.deepEqual([0, 999, 999_999, 12_345_678, 2e15].map(sizeInWords), [
    '0B',
    '999B',
    '1MB',
    '12.3MB',
    '2PB',
  ]);
  assert.deepEqual([0, 61_000, 172_800_000].map(spanInWords), ['0 seconds', '1 minute', '2 days']);
});
