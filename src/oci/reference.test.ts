import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  canonicalName,
  canonicalString,
  familiarName,
  familiarString,
  findImageId,
  objectOf,
  parseImageName,
  parseReference,
  trimmed,
  withDefaultTag,
  withDigest,
  withTag,
  parseDigest,
} from './index.ts';

const a = 'a'.repeat(64);

test('parseReference() makes references canonical, and familiarString() undoes it', () => {
  const table: [text: string, canonical: string, familiar: string][] = [
    ['busybox', 'docker.io/library/busybox', 'busybox'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['library/x', 'docker.io/library/x', 'x'],
    ['docker.io/x', 'docker.io/library/x', 'x'],
    ['index.docker.io/x/y', 'docker.io/x/y', 'x/y'],
    ['docker.io/library/a/b', 'docker.io/library/a/b', 'library/a/b'],
    ['a/b', 'docker.io/a/b', 'a/b'],
    ['a.b/c', 'a.b/c', 'a.b/c'],
    ['UPPER/x', 'UPPER/x', 'UPPER/x'],
    ['localhost/x', 'localhost/x', 'localhost/x'],
    ['localhost:5000/x:1', 'localhost:5000/x:1', 'localhost:5000/x:1'],
    ['[::1]:5000/x', '[::1]:5000/x', '[::1]:5000/x'],
    [`x:tag@sha256:${a}`, `docker.io/library/x:tag@sha256:${a}`, `x:tag@sha256:${a}`],
    ['x__y--z', 'docker.io/library/x__y--z', 'x__y--z'],
    [`x/${a}`, `docker.io/x/${a}`, `x/${a}`],
  ];
  for (const [text, canonical, familiar] of table) {
    const reference = parseReference(text);
    assert.equal(canonicalString(reference), canonical);
    assert.equal(familiarString(reference), familiar);
    assert.deepEqual(parseReference(familiar), reference);
  }
});

test('parseReference() refuses in Docker words', () => {
  const table: [text: string, message: string][] = [
    ['', 'invalid reference format'],
    [':tag', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['x:', 'invalid reference format'],
    ['x@', 'invalid reference format'],
    ['x___y', 'invalid reference format'],
    ['https://x/y', 'invalid reference format'],
    ['x\n', 'invalid reference format'],
    ['x@sha256:abc', 'invalid reference format'],
    [`x:${'t'.repeat(129)}`, 'invalid reference format'],
    ['X', 'invalid reference format: repository name (library/X) must be lowercase'],
    ['foo/Bad:tag', 'invalid reference format: repository name (foo/Bad) must be lowercase'],
    ['Host.com/Bad', 'invalid reference format: repository name (Bad) must be lowercase'],
    [a, `invalid repository name (${a}), cannot specify 64-byte hexadecimal strings`],
    [`x@sha512:${a}`, 'invalid checksum digest length'],
    [`x@foo:${a}`, 'unsupported digest algorithm'],
    [`x@sha256:${a.toUpperCase()}`, 'invalid checksum digest format'],
    ['a'.repeat(248), 'repository name must not be more than 255 characters'],
    [`a.io/${'a'.repeat(256)}`, 'repository name must not be more than 255 characters'],
  ];
  for (const [text, message] of table) {
    assert.throws(() => parseReference(text), { kind: 'invalidArgument', message }, text);
  }
  assert.ok(parseReference('a'.repeat(247)));
});

test('parseReference() answers any text quickly: a reference or invalidArgument', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9:/@._-]*$/)), (text) => {
      try {
        const reference = parseReference(text);
        assert.deepEqual(parseReference(canonicalString(reference)), reference);
      } catch (error) {
        assert.equal((error as { kind?: string }).kind, 'invalidArgument');
      }
    }),
  );
  const began = performance.now();
  assert.throws(() => parseReference(`${'a'.repeat(50_000)}!`));
  assert.throws(() => parseReference(`x.io/${'a-'.repeat(25_000)}!`));
  assert.ok(performance.now() - began < 500);
});

test('withDefaultTag(), withTag(), withDigest(), trimmed() change only what they name', () => {
  const digest = parseDigest(`sha256:${a}`);
  const x = parseReference('x');
  assert.equal(familiarString(withDefaultTag(x)), 'x:latest');
  assert.equal(familiarString(withDefaultTag(withDigest(x, digest))), `x@${digest}`);
  assert.equal(familiarString(withTag(x, 'v1')), 'x:v1');
  assert.throws(() => withTag(x, 'bad*tag'), { kind: 'invalidArgument', message: 'invalid tag format' });
  assert.deepEqual(trimmed(parseReference(`x:1@${digest}`)), x);
  assert.equal(familiarName(parseReference('x:1')), 'x');
  assert.equal(canonicalName(parseReference('x:1')), 'docker.io/library/x');
  assert.equal(objectOf(x), 'latest');
  assert.equal(objectOf(parseReference(`x:1@${digest}`)), digest);
});

test('parseImageName() tells ids from references', () => {
  assert.deepEqual(parseImageName(a), { kind: 'id', id: `sha256:${a}` });
  assert.deepEqual(parseImageName(`sha256:${a}`), { kind: 'id', id: `sha256:${a}` });
  assert.equal(parseImageName('sha256:abc').kind, 'reference');
  assert.equal(findImageId('abc'), undefined);
});
