import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gitIgnoreOffer } from './git-ignore-offer.ts';
import { ContextCount, gitIgnores, isUnfilteredCheckout } from './git-ignores.ts';
import { FolderFilter } from './session/folder-filter.ts';
import { walkFolder } from './session/folder-walk.ts';

test('gitIgnores() are what every .gitignore of a checkout names', () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-git-'));
  const files = {
    '.git/HEAD': 'x',
    '.git/info/exclude': 'mine\n',
    '.gitignore': 'node_modules/\n*.log\n',
    'node_modules/x/.gitignore': '!big\n',
    'node_modules/x/big': 'x'.repeat(1000),
    'src/.gitignore': '!kept.log\n/only\n',
    'src/kept.log': '',
    'src/a.log': '',
    'src/only': '',
    only: '',
    mine: '',
  };
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const filter = new FolderFilter({ include: [], exclude: [], hidden: gitIgnores(root) });
    const sent = [...walkFolder(root, filter)].map(({ path }) => path);
    assert.deepEqual(sent, ['.gitignore', 'node_modules', 'only', 'src', 'src/.gitignore', 'src/kept.log']);
    assert.equal(isUnfilteredCheckout(root, 'Dockerfile'), true);
    const count = new ContextCount(root);
    for (const stat of walkFolder(root, new FolderFilter({ include: [], exclude: [] }))) count.add(stat);
    assert.match(gitIgnoreOffer(count), /--use-gitignore leaves out \d+ files \(1.01kB\)/);
    writeFileSync(join(root, '.dockerignore'), '');
    assert.equal(isUnfilteredCheckout(root, 'Dockerfile'), false);
  } finally {
    rmSync(root, { recursive: true });
  }
  assert.equal(gitIgnoreOffer({ all: { files: 3, bytes: 3 }, ignored: { files: 0, bytes: 0 } }), '');
});
