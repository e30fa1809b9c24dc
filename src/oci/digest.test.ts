import assert from 'node:assert/strict';
import { test } from 'node:test';
import { algorithmOf, chainId, chainIds, digestOf, hexOf, isDigest, parseDigest } from './index.ts';

const a = 'a'.repeat(64);

test('parseDigest() refuses each flaw in Docker words', () => {
  const flaws: Record<string, string> = {
    '': 'invalid checksum digest format',
    sha256: 'invalid checksum digest format',
    'sha256:': 'invalid checksum digest format',
    ':abc': 'invalid checksum digest format',
    'sha256:abc': 'invalid checksum digest length',
    [`sha512:${a}`]: 'invalid checksum digest length',
    [`sha256:${a.toUpperCase()}`]: 'invalid checksum digest format',
    'md5:d41d8cd98f00b204e9800998ecf8427e': 'unsupported digest algorithm',
    [`constructor:${a}`]: 'unsupported digest algorithm',
    [`sha256:${'../'.repeat(21)}a`]: 'invalid checksum digest format',
  };
  for (const [text, message] of Object.entries(flaws)) {
    assert.throws(() => parseDigest(text), { kind: 'invalidArgument', message }, text);
    assert.equal(isDigest(text), false);
  }
  assert.equal(parseDigest(`sha256:${a}`), `sha256:${a}`);
});

test('digestOf() hashes text and bytes alike', () => {
  const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  assert.equal(digestOf(''), empty);
  assert.equal(digestOf(new Uint8Array()), empty);
  assert.equal(algorithmOf(digestOf('x', 'sha512')), 'sha512');
  assert.equal(hexOf(digestOf('x', 'sha512')).length, 128);
});

test('chainId() folds diffIDs from the base up', () => {
  const one = digestOf('1');
  const two = digestOf('2');
  const three = digestOf('3');
  assert.equal(chainId([]), undefined);
  assert.equal(chainId([one]), one);
  assert.equal(chainId([one, two]), digestOf(`${one} ${two}`));
  assert.equal(chainId([one, two, three]), digestOf(`${digestOf(`${one} ${two}`)} ${three}`));
  assert.equal(chainIds([one, two, three]).length, 3);
});
