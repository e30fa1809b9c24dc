import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveUser } from './user.ts';

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n',
  group: 'root:x:0:\nstaff:x:50:app,other\nwww:x:33:app\n',
};

const cases: readonly [
  string,
  readonly string[],
  { uid: number; gid: number; additionalGids: number[]; home: string },
][] = [
  ['', [], { uid: 0, gid: 0, additionalGids: [0], home: '/root' }],
  ['app', [], { uid: 1000, gid: 1001, additionalGids: [1001, 50, 33], home: '/home/app' }],
  ['app:www', [], { uid: 1000, gid: 33, additionalGids: [33], home: '/home/app' }],
  ['1000', [], { uid: 1000, gid: 1001, additionalGids: [1001, 50, 33], home: '/home/app' }],
  ['4242', [], { uid: 4242, gid: 0, additionalGids: [0], home: '/' }],
  ['4242:77', ['staff', '99'], { uid: 4242, gid: 77, additionalGids: [77, 50, 99], home: '/' }],
];
for (const [user, groups, expected] of cases) {
  test(`resolveUser() of "${user}" with groups [${groups.join(' ')}]`, () => {
    const { home, user: resolved } = resolveUser(user, groups, files);
    assert.deepEqual({ ...resolved, home }, expected);
  });
}

test('resolveUser() refuses names that the image does not have', () => {
  assert.throws(
    () => resolveUser('ghost', [], files),
    /unable to find user ghost: no matching entries in passwd file/,
  );
  assert.throws(() => resolveUser('app:ghosts', [], files), /unable to find group ghosts/);
  assert.throws(() => resolveUser('4294967296', [], files), /uids and gids must be in range/);
});

test('resolveUser() works without account files', () => {
  const { user } = resolveUser('', [], { passwd: undefined, group: undefined });
  assert.deepEqual(user, { uid: 0, gid: 0, additionalGids: [0] });
});
