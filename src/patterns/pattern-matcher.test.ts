import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FilePattern } from './file-pattern.ts';
import { ignoreFileNames, parseIgnoreFile } from './ignore-file.ts';
import { PatternMatcher } from './pattern-matcher.ts';
import type { FolderMatch } from './pattern-matcher.ts';

const matching: readonly (readonly [pattern: string, path: string, matches: boolean])[] = [
  ['a', 'a', true],
  ['a', 'a/b', false],
  ['*', 'a', true],
  ['*', 'a/b', false],
  ['*.go', '.go', true],
  ['a/*/c', 'a/b/c', true],
  ['a/*/c', 'a/b/b/c', false],
  ['**', 'a/b', true],
  ['**/a', 'a', true],
  ['**/a', 'b/c/a', true],
  ['**/a', 'ba', false],
  ['**a', 'b/ca', true],
  ['a/**', 'a', false],
  ['a/**', 'a/b/c', true],
  ['a**', 'ab/c', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['a/**/b', 'a/xb', false],
  ['a**/*.x', 'a/b/c.x', true],
  ['**/*.go', 'a.go', true],
  ['**/*.go', 'x/y/a.go', true],
  ['**/x/**', 'a/x/b', true],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['a[b-d]e', 'ace', true],
  ['a[^b-d]e', 'ace', false],
  ['a[^b]e', 'a/e', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['a.b', 'axb', false],
  ['(a|b)', 'a', false],
  ['日?語', '日本語', true],
];
for (const [pattern, path, matches] of matching) {
  void test(`FilePattern ${pattern} ${matches ? 'matches' : 'does not match'} ${path}`, () => {
    assert.equal(new FilePattern(pattern).matches(path), matches);
  });
}

test('FilePattern refuses what is not well formed', () => {
  for (const pattern of ['[', 'a[', '[]', '[a', '[a-]', 'a\\', '[\\', '[b-a]']) {
    assert.throws(() => new FilePattern(pattern), /syntax error in pattern/, pattern);
  }
});

test('PatternMatcher lets the last pattern that matches count', () => {
  const matcher = new PatternMatcher(['*', '!keep', 'keep/not', '', ' x ']);
  assert.deepEqual(
    ['a', 'keep', 'keep/this', 'keep/not', 'keep/not/that'].map((path) => matcher.excludes(path)),
    [true, false, false, true, true],
  );
  assert.throws(() => new PatternMatcher(['!']), /illegal exclusion pattern/);
});

test('PatternMatcher tells folders that can be left out whole', () => {
  const matcher = new PatternMatcher(['**', '!src/**/*.ts', '!doc/a']);
  assert(matcher.mayIncludeBelow('src'));
  assert(matcher.mayIncludeBelow('src/deep/er'));
  assert(matcher.mayIncludeBelow('doc'));
  assert(!matcher.mayIncludeBelow('doc/b'));
  assert(!matcher.mayIncludeBelow('srcs'));
});

test('parseIgnoreFile() cleans patterns and leaves comments out', () => {
  const text = '\ufeff# no\n#no\n # yes\n\n  /a/b/ \n! c/../d\n!\nx\\ y\n./e\r\n';
  assert.deepEqual(parseIgnoreFile(text), ['# yes', 'a/b', '!d', '!', 'x\\ y', 'e']);
  assert.deepEqual(ignoreFileNames('d/My.Dockerfile'), ['d/My.Dockerfile.dockerignore', '.dockerignore']);
});

/** The same language as a regular expression: slow for some patterns, but plain. */
function naive(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    if (rest === '**' || rest === '**/') {
      source += '.*';
      break;
    }
    if (rest.startsWith('**')) {
      const isPrefix = at === 0 && !rest.startsWith('**/') && !/[*?]/.test(rest.slice(2));
      source += isPrefix ? '.*' : '(.*/)?';
      at += rest.startsWith('**/') ? 2 : 1;
    } else if (rest.startsWith('*')) source += '[^/]*';
    else if (rest.startsWith('?')) source += '[^/]';
    else source += rest[0] === '.' ? '\\.' : (rest[0] ?? '');
  }
  return new RegExp(`^${source}$`);
}

const name = fc
  .array(fc.constantFrom('a', 'b', '.'), { minLength: 1, maxLength: 2 })
  .map((parts) => parts.join(''));
const path = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((names) => names.join('/'))
  .filter((text) => !/(^|\/)\.{1,2}(\/|$)/.test(text));
const pattern = fc
  .array(fc.constantFrom('a', 'b', '.', '*', '**', '?', '/', '/'), { minLength: 1, maxLength: 7 })
  .map((parts) =>
    parts
      .join('')
      .replace(/\*{3,}/g, '**')
      .replace(/\/{2,}/g, '/')
      .replace(/^\/|\/$/g, ''),
  )
  .filter((text) => text !== '' && !/(^|\/)\.{1,2}(\/|$)/.test(text));

test('FilePattern matches as a regular expression of the same meaning does', () => {
  fc.assert(
    fc.property(pattern, path, (text, file) => {
      assert.equal(new FilePattern(text).matches(file), naive(text).test(file));
    }),
    { numRuns: 5000 },
  );
});

test('FilePattern.mayMatchBelow() leaves no folder out in which something matches', () => {
  fc.assert(
    fc.property(pattern, path, (text, file) => {
      const names = file.split('/');
      if (names.length < 2 || !new FilePattern(text).matches(file)) return;
      for (let depth = 1; depth < names.length; depth++) {
        assert(new FilePattern(text).mayMatchBelow(names.slice(0, depth).join('/')));
      }
    }),
    { numRuns: 5000 },
  );
});

test('PatternMatcher.at() follows each pattern from a folder into what is in it', () => {
  const signed = fc.tuple(fc.boolean(), pattern).map(([negated, text]) => (negated ? `!${text}` : text));
  fc.assert(
    fc.property(fc.array(signed, { maxLength: 4 }), path, (patterns, file) => {
      const matcher = new PatternMatcher(patterns);
      const names = file.split('/');
      let above: FolderMatch | undefined;
      let expected: boolean[] | undefined;
      names.forEach((_, index) => {
        const prefix = names.slice(0, index + 1).join('/');
        above = matcher.at(prefix, above);
        let excluded = false;
        expected = patterns.map((text, at) => {
          const negated = text.startsWith('!');
          if (expected?.[at] !== true) {
            if (negated !== excluded || !naive(text.replace(/^!/, '')).test(prefix)) return false;
          }
          excluded = !negated;
          return true;
        });
        assert.deepEqual(above.matched, expected);
        assert.equal(above.excluded, excluded);
      });
    }),
    { numRuns: 3000 },
  );
});

test('FilePattern with many stars takes no time', () => {
  const started = performance.now();
  assert(!new FilePattern(`${'**/*a'.repeat(30)}b`).matches('a/'.repeat(500)));
  assert(performance.now() - started < 2000);
});
