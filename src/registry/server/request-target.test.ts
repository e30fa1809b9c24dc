import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTarget } from './request-target.ts';

test('parseTarget() takes every path of the API apart', () => {
  const repository = 'team/app';
  for (const [path, target] of [
    ['/v2/', { kind: 'base' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/team/app/tags/list', { kind: 'tags', repository }],
    ['/v2/team/app/manifests/v1', { kind: 'manifest', repository, reference: 'v1' }],
    ['/v2/team/app/referrers/sha256:1', { kind: 'referrers', repository, digest: 'sha256:1' }],
    ['/v2/team/app/blobs/sha256:1', { kind: 'blob', repository, digest: 'sha256:1' }],
    ['/v2/team/app/blobs/uploads/', { kind: 'uploads', repository }],
    ['/v2/team/app/blobs/uploads', { kind: 'uploads', repository }],
    ['/v2/team/app/blobs/uploads/1', { kind: 'upload', repository, id: '1' }],
    ['/v2/team/tags/manifests/v1', { kind: 'manifest', repository: 'team/tags', reference: 'v1' }],
    ['/v2/a/blobs/uploads/tags/list', { kind: 'tags', repository: 'a/blobs/uploads' }],
    ['/v2/team/app/tags', undefined],
    ['/v2/team/app', undefined],
    ['/v1/team/app/tags/list', undefined],
  ] as const) {
    assert.deepEqual(parseTarget(path), target, path);
  }
  for (const path of ['/v2/Team/tags/list', '/v2/a//b/tags/list', `/v2/${'a'.repeat(256)}/tags/list`]) {
    assert.throws(() => parseTarget(path), { code: 'NAME_INVALID' }, path);
  }
});
