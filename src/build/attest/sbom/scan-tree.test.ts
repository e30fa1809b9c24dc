import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { scan } from './scan.ts';
import { scanTree } from './scan-tree.ts';

/** A root with these files while `work` is done. */
async function withRoot(
  files: Readonly<Record<string, string>>,
  work: (root: string) => void | Promise<void>,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'wharf-test-scan-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    await work(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

const shown = (root: string): readonly string[] =>
  scanTree(root).packages.map(({ type, name, version }) => `${type} ${name} ${version}`);

const dpkg = `Package: bash
Status: install ok installed
Maintainer: Matthias Klose <doko@debian.org>
Architecture: amd64
Source: bash-src (5.2-2)
Version: 5.2-2+b13
Description: GNU Bourne Again SHell
 Bash is an sh-compatible command language interpreter
Homepage: http://tiswww.case.edu/

Package: gone
Status: deinstall ok config-files
Version: 1
`;

test('scanTree() reads the database of dpkg, and which system it is of', async () => {
  const system = 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n';
  const files = { 'var/lib/dpkg/status': dpkg, 'usr/lib/os-release': system };
  await withRoot(files, (root) => {
    assert.deepEqual(scanTree(root), {
      distribution: { id: 'debian', version: '12' },
      packages: [
        {
          ...{ type: 'deb', name: 'bash', version: '5.2-2+b13', location: '/var/lib/dpkg/status' },
          ...{ architecture: 'amd64', upstream: 'bash-src@5.2-2' },
          supplier: 'Matthias Klose <doko@debian.org>',
          homepage: 'http://tiswww.case.edu/',
        },
      ],
    });
  });
});

test('scanTree() reads what images without dpkg have in its place', async () => {
  const files = {
    'var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12\nArchitecture: amd64\n',
    'var/lib/dpkg/status.d/base.md5sums': 'Package: no\nVersion: 1\n',
  };
  await withRoot(files, (root) => assert.deepEqual(shown(root), ['deb base-files 12']));
});

test('scanTree() reads the database of apk', async () => {
  const installed = `C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
L:MIT
o:musl-source
m:Someone <s@example.com>
F:lib
R:ld-musl-x86_64.so.1

P:busybox
V:1.36
`;
  await withRoot({ 'lib/apk/db/installed': installed }, (root) => {
    assert.deepEqual(shown(root), ['apk busybox 1.36', 'apk musl 1.2.5-r0']);
    assert.equal(scanTree(root).packages[1]?.upstream, 'musl-source');
    assert.equal(scanTree(root).packages[1]?.license, 'MIT');
  });
});

test('scanTree() reads packages of npm: installed ones, or those of a lock where none are', async () => {
  const lock = {
    lockfileVersion: 3,
    packages: {
      '': { name: 'app', version: '1.0.0' },
      'node_modules/a': { version: '1.1.0', license: 'ISC' },
      'node_modules/a/node_modules/@s/b': { version: '2.0.0' },
      'node_modules/tested': { version: '3.0.0', dev: true },
      'node_modules/linked': { resolved: 'packages/x', link: true },
    },
  };
  const old = { dependencies: { c: { version: '4.0.0', dependencies: { d: { version: '5.0.0' } } } } };
  const files = {
    'app/package-lock.json': JSON.stringify(lock),
    'app/package.json': '{"name":"app","version":"1.0.0"}',
    'old/package-lock.json': JSON.stringify(old),
    'srv/package-lock.json': JSON.stringify(lock),
    'srv/node_modules/@s/b/package.json':
      '{"name":"@s/b","version":"2.0.1","author":{"name":"N","email":"e"}}',
    'srv/node_modules/@s/b/lib/package.json': '{"name":"inner","version":"0.0.0"}',
    'srv/node_modules/broken/package.json': '{"name":',
  };
  await withRoot(files, (root) => {
    assert.deepEqual(shown(root), [
      'npm @s/b 2.0.0',
      'npm @s/b 2.0.1',
      'npm a 1.1.0',
      'npm c 4.0.0',
      'npm d 5.0.0',
    ]);
  });
});

test('scanTree() reads packages of Python', async () => {
  const site = 'usr/lib/python3/dist-packages';
  const files = {
    [`${site}/requests-2.31.0.dist-info/METADATA`]:
      'Metadata-Version: 2.1\nName: requests\nVersion: 2.31.0\nLicense: Apache 2.0\nAuthor: K\nAuthor-email: k@x.org\n\nName: body\n',
    [`${site}/six.egg-info`]: 'Name: six\nVersion: 1.16.0\nLicense: UNKNOWN\n',
    [`${site}/old.egg-info/PKG-INFO`]: 'Name: old\nVersion: 1\n',
  };
  await withRoot(files, (root) => {
    assert.deepEqual(shown(root), ['pypi old 1', 'pypi requests 2.31.0', 'pypi six 1.16.0']);
    const [, requests] = scanTree(root).packages;
    assert.equal(requests?.license, 'Apache 2.0');
    assert.equal(requests.supplier, 'K <k@x.org>');
  });
});

test('scanTree() follows no links', async () => {
  await withRoot({ 'var/lib/dpkg/status': dpkg }, async (outside) => {
    await withRoot({ 'etc/x': '' }, async (root) => {
      await symlink(join(outside, 'var'), join(root, 'var'));
      await mkdir(join(root, 'lib/apk/db'), { recursive: true });
      await symlink(join(outside, 'var/lib/dpkg/status'), join(root, 'lib/apk/db/installed'));
      assert.deepEqual(scanTree(root), { distribution: undefined, packages: [] });
    });
  });
});

test('scan() does the same in a thread, and can be given up', async () => {
  const { signal } = new AbortController();
  await withRoot({ 'var/lib/dpkg/status': dpkg }, async (root) => {
    assert.equal((await scan(root, { signal })).packages.length, 1);
    const reason = new Error('given up');
    await assert.rejects(scan(root, { signal: AbortSignal.abort(reason) }), reason);
  });
  await assert.rejects(scan('/nowhere-at-all', { signal }), /ENOENT/);
});
