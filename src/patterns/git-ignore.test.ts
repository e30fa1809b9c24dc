import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gitIgnorePatterns } from './git-ignore.ts';
import { PatternMatcher } from './pattern-matcher.ts';

test('gitIgnorePatterns() gives names every folder, and paths their own', () => {
  const text =
    '# no\n\nnode_modules/\n*.log\n/dist\ndoc/*.pdf\n!keep.log\n\\#odd\nend \\ \n**/deep\na/**/b\n/\n';
  assert.deepEqual(gitIgnorePatterns(text), [
    '**/node_modules/**',
    '**/*.log',
    'dist',
    'doc/*.pdf',
    '!**/keep.log',
    '**/#odd',
    '**/end \\ ',
    '**/deep',
    'a/**/b',
  ]);
  assert.deepEqual(gitIgnorePatterns('x\n/y/\n!z', 'sub/dir'), [
    'sub/dir/**/x',
    'sub/dir/y/**',
    '!sub/dir/**/z',
  ]);
});

test('gitIgnorePatterns() excludes what git ignores', () => {
  const matcher = new PatternMatcher(gitIgnorePatterns('node_modules/\n*.log\n!keep.log\n/dist\n'));
  const excluded = ['node_modules/a/b', 'x/node_modules/a', 'a.log', 'x/y.log', 'dist', 'dist/a'];
  const included = ['node_modules', 'keep.log', 'x/keep.log', 'x/dist', 'src/a'];
  for (const path of excluded) assert(matcher.excludes(path), path);
  for (const path of included) assert(!matcher.excludes(path), path);
});
