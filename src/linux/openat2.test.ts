import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  chmodAt,
  chownAt,
  deviceMajor,
  deviceMinor,
  getXattr,
  linkAt,
  listXattrs,
  makeDevice,
  makeFolderAt,
  makeNodeAt,
  openAt,
  openFolderUnder,
  openUnder,
  readLinkAt,
  removeXattr,
  renameAt,
  setTimesAt,
  setXattr,
  symlinkAt,
  unlinkAt,
} from './index.ts';

let path = '';
let root = -1;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'wharf-openat-'));
  root = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
});
afterEach(() => {
  closeSync(root);
  rmSync(path, { recursive: true });
});
const { O_RDONLY, O_CREAT, O_WRONLY, O_EXCL } = constants;

test('openUnder() keeps absolute links and .. inside the root', () => {
  makeFolderAt(root, 'etc', 0o755);
  writeFileSync(join(path, 'etc/passwd'), 'inside');
  symlinkSync('/etc', join(path, 'absolute'));
  symlinkSync('../../../../etc', join(path, 'climbing'));
  for (const name of ['absolute/passwd', 'climbing/passwd', '../../etc/passwd', '/etc/passwd']) {
    const fd = openUnder(root, name, { flags: O_RDONLY, resolve: 'root' });
    assert.equal(readFileSync(fd, 'utf8'), 'inside', name);
    closeSync(fd);
    assert.throws(() => openUnder(root, name, { flags: O_RDONLY, resolve: 'beneath' }), { code: 'EXDEV' });
  }
  assert.throws(
    () => openUnder(root, 'absolute/passwd', { flags: O_RDONLY, resolve: 'root', noSymlinks: true }),
    { code: 'ELOOP' },
  );
  assert.throws(() => openUnder(root, 'nope', { flags: O_RDONLY, resolve: 'root' }), {
    code: 'ENOENT',
    syscall: 'openat2',
  });
});

test('the *at calls make every kind of file', () => {
  const fd = openAt(root, 'file', O_WRONLY | O_CREAT | O_EXCL, 0o600);
  closeSync(fd);
  linkAt(root, 'file', root, 'hard');
  symlinkAt('/target', root, 'soft');
  makeNodeAt(root, 'null', constants.S_IFCHR | 0o666, makeDevice(1, 3));
  makeNodeAt(root, 'fifo', constants.S_IFIFO | 0o600);
  chownAt(root, 'soft', 1, 2);
  chmodAt(root, 'file', 0o4755);
  setTimesAt(root, 'file', 5n, -1n);
  assert.equal(lstatSync(join(path, 'hard')).nlink, 2);
  assert.equal(readLinkAt(root, 'soft').toString(), '/target');
  assert.equal(lstatSync(join(path, 'soft')).gid, 2);
  assert.equal(lstatSync(join(path, 'null')).rdev, 0x103);
  const file = lstatSync(join(path, 'file'), { bigint: true });
  assert.equal(file.mode & 0o7777n, 0o4755n);
  assert.deepEqual([file.atimeNs, file.mtimeNs], [5n, -1n]);
  renameAt(root, 'file', root, 'moved', { noReplace: true });
  assert.throws(() => renameAt(root, 'moved', root, 'hard', { noReplace: true }), { code: 'EEXIST' });
  for (const name of ['moved', 'hard', 'soft', 'null', 'fifo']) unlinkAt(root, name);
  assert.deepEqual(readdirSync(path), []);
  makeFolderAt(root, 'folder', 0o700);
  const folder = openFolderUnder(root, 'folder');
  assert.ok(fstatSync(folder).isDirectory());
  closeSync(folder);
  unlinkAt(root, 'folder', { folder: true });
});

test('names may be any bytes but NUL', () => {
  makeFolderAt(root, 'a\udcff', 0o755);
  assert.deepEqual(readdirSync(path, { encoding: 'buffer' }), [Buffer.from([0x61, 0xff])]);
  assert.throws(() => makeFolderAt(root, 'a\0b', 0o755), RangeError);
});

test('makeDevice() splits again into major and minor', () => {
  for (const [major, minor] of [
    [1, 3],
    [4095, 1048575],
    [0xfffff, 0xfffff],
  ] as const) {
    const device = makeDevice(major, minor);
    assert.deepEqual([deviceMajor(device), deviceMinor(device)], [major, minor]);
  }
});

test('setXattr() and getXattr() keep binary values and do not follow links', () => {
  const file = join(path, 'file');
  writeFileSync(file, '');
  const value = Buffer.from([0, 255, 10, 0]);
  setXattr(file, 'trusted.wharf', value);
  assert.deepEqual(getXattr(file, 'trusted.wharf'), value);
  assert.deepEqual(listXattrs(file), ['trusted.wharf']);
  symlinkSync('file', join(path, 'link'));
  assert.equal(getXattr(join(path, 'link'), 'trusted.wharf'), undefined);
  const fd = openSync(file, 'r');
  setXattr(fd, 'user.two', Buffer.alloc(0));
  assert.deepEqual(getXattr(fd, 'user.two'), Buffer.alloc(0));
  assert.deepEqual(listXattrs(fd).sort(), ['trusted.wharf', 'user.two']);
  closeSync(fd);
  removeXattr(file, 'user.two');
  removeXattr(file, 'user.two');
  assert.equal(getXattr(file, 'user.two'), undefined);
  assert.throws(() => getXattr(join(path, 'nope'), 'user.x'), { code: 'ENOENT' });
});
