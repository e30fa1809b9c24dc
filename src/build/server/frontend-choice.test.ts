import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFrontend, checkSyntax } from './frontend-choice.ts';

test('checkSyntax() takes any version of docker/dockerfile, and refuses other frontends with their place', () => {
  for (const image of [
    'docker/dockerfile:1',
    'docker.io/docker/dockerfile:1.7-labs',
    'docker/dockerfile-upstream:master',
  ]) {
    checkSyntax(`# syntax=${image}\nFROM scratch\n`, {});
  }
  checkSyntax('FROM scratch\n', {});
  assert.throws(() => checkSyntax('# syntax=foo/bar:1\nFROM scratch\n', {}), {
    kind: 'unimplemented',
    message: /^the frontend foo\/bar:1 is not supported/,
    locations: [{ firstLine: 1, firstColumn: 0, lastLine: 1, lastColumn: 0 }],
  });
  checkSyntax('# syntax=foo/bar:1\nFROM scratch\n', { 'build-arg:BUILDKIT_SYNTAX': 'docker/dockerfile:1' });
  assert.throws(() => checkSyntax('FROM scratch\n', { 'build-arg:BUILDKIT_SYNTAX': 'foo/bar' }), /foo\/bar/);
});

test('checkFrontend() takes docker/dockerfile as an image for the one that is built in', () => {
  checkFrontend('dockerfile.v0', {});
  checkFrontend('gateway.v0', { source: 'docker/dockerfile:1' });
  assert.throws(() => checkFrontend('gateway.v0', { source: 'foo/bar' }), { kind: 'unimplemented' });
  assert.throws(() => checkFrontend('other.v0', {}), /"other\.v0" is not supported/);
});
