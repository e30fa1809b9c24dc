import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CopyAction } from '../graph/vertex.ts';
import { CopyDigests } from './copy-digests.ts';

const copy = (source: string): CopyAction => ({
  ...{ kind: 'copy', from: 'scratch', source, destination: '/', owner: '', pattern: true },
  ...{ mode: undefined, unpack: false, include: [], exclude: [] },
});

test('of() makes a digest once for equal files and copies', () => {
  const digests = new CopyDigests();
  let made = 0;
  const make = (): string => String((made += 1));
  assert.equal(digests.of('files', copy('/a'), make), '1');
  assert.equal(digests.of('files', copy('/a'), make), '1');
  assert.equal(digests.of('files', copy('/b'), make), '2');
  assert.equal(digests.of('others', copy('/a'), make), '3');
});

test('of() forgets what was used longest ago', () => {
  const digests = new CopyDigests();
  for (let n = 0; n < 3000; n += 1) digests.of('files', copy(`/${n}`), () => String(n));
  assert.equal(
    digests.of('files', copy('/0'), () => 'anew'),
    'anew',
  );
  assert.equal(
    digests.of('files', copy('/2999'), () => 'anew'),
    '2999',
  );
});
