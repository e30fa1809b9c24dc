import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseChallenges } from './challenge.ts';

test('parseChallenges() reads schemes, quoted values, tokens and several challenges', () => {
  const table: [header: string | string[] | undefined, expected: unknown][] = [
    [undefined, []],
    ['', []],
    ['Basic', [{ scheme: 'basic', parameters: {} }]],
    ['Basic realm="a b"', [{ scheme: 'basic', parameters: { realm: 'a b' } }]],
    [
      'Bearer realm="https://a/token",service="s",scope="repository:x:pull,push"',
      [
        {
          scheme: 'bearer',
          parameters: { realm: 'https://a/token', service: 's', scope: 'repository:x:pull,push' },
        },
      ],
    ],
    [
      'Bearer Realm = "r" , error=invalid_token, Basic realm="q\\"uote"',
      [
        { scheme: 'bearer', parameters: { realm: 'r', error: 'invalid_token' } },
        { scheme: 'basic', parameters: { realm: 'q"uote' } },
      ],
    ],
    [
      ['Negotiate YWJj==, Basic realm=x', 'Bearer realm=y'],
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'x' } },
        { scheme: 'bearer', parameters: { realm: 'y' } },
      ],
    ],
    ['Basic "', [{ scheme: 'basic', parameters: {} }]],
  ];
  for (const [header, expected] of table) assert.deepEqual(parseChallenges(header), expected);
});

test('parseChallenges() ends on any text', () => {
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseChallenges(text))));
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z =",\\]*$/), (text) => Array.isArray(parseChallenges(text))),
  );
});
