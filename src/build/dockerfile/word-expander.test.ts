import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DockerfileError } from './location.ts';
import { environmentOf } from './variables.ts';
import { WordExpander } from './word-expander.ts';

const environment = environmentOf(['set=value', 'empty=', 'path=/a/b.c/d.tar.gz', 'n1=x']);
const expander = new WordExpander('\\');
const expand = (word: string): string => expander.expand(word, environment).text;

const cases: Readonly<Record<string, string>> = {
  '$set ${set}': 'value value',
  '$setx${set}x': 'valuex',
  '\'$set\' "$set"': '$set value',
  '\\$set "\\$set" "\\a" \\a': '$set $set \\a a',
  '${none:-a}${none-b}${empty:-c}${empty-d}${set:-e}': 'abcvalue',
  '${none:+a}${none+b}${empty:+c}${empty+d}${set:+e}': 'de',
  '${set:?x}${empty?y}': 'value',
  '${none:-${other:-$set}}': 'value',
  '${path#*/} ${path##*/}': 'a/b.c/d.tar.gz d.tar.gz',
  '${path%.*} ${path%%.*}': '/a/b.c/d.tar /a/b',
  '${path/a/A} ${path//[.]/-} ${path//a/A}': '/A/b.c/d.tar.gz /a/b.c/d.tar.gz /A/b.c/d.tAr.gz',
  '${path//\\//:}': ':a:b.c:d.tar.gz',
  '${path/b*d/-} ${path/?/}': '/a/-.tar.gz a/b.c/d.tar.gz',
  '$ $. $1a $$x': '$ $. a x',
  '${n1}': 'x',
  'a < b << c': 'a < b << c',
};
for (const [word, text] of Object.entries(cases)) {
  void test(`expand() makes ${text} of ${word}`, () => assert.equal(expand(word), text));
}

test('expand() splits at white space outside quotes, that of values too', () => {
  const { words } = expander.expand(`a "b c" $two 'd  e' f\\ g ""`, environmentOf(['two=1 2']));
  assert.deepEqual(words, ['a', 'b c', '1', '2', 'd  e', 'f g']);
});

test('expand() tells which names it found and which it missed', () => {
  const { matched, unmatched } = expander.expand('$set ${none:-$gone} ${empty}', environment);
  assert.deepEqual([...matched], ['set', 'empty']);
  assert.deepEqual([...unmatched], ['gone', 'none']);
});

test('expand() keeps what is not set, quotes and escapes where it is asked to', () => {
  const raw = new WordExpander('\\', { rawQuotes: true, rawEscapes: true, keepUnset: true });
  const word = `"$none" \${none:-x} '\${none}' a\\ b \${none#y}`;
  assert.equal(raw.expand(word, environment).text, word);
});

test('expand() takes the backtick as escape character', () => {
  assert.equal(new WordExpander('`').expand('`$set \\$set "`""', environment).text, '$set \\value "');
});

test('expand() ends for values that would fill the memory', () => {
  let values = environmentOf([`a=${'x'.repeat(1024)}`]);
  assert.throws(() => {
    for (let round = 0; round < 40; round++) {
      values = new Map([['a', expander.expand('$a$a', values).text]]);
    }
  }, /too long/);
  assert.throws(() => expander.expand('${a:-'.repeat(5000), environment), DockerfileError);
});

test('expand() answers or refuses whatever it is given, soon', () => {
  const piece = fc.constantFrom(
    '$',
    '{',
    '}',
    'set',
    'path',
    ':',
    '-',
    '?',
    '#',
    '%',
    '/',
    '*',
    '\\',
    '"',
    "'",
    '<',
    ' ',
    'é',
  );
  const word = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(word, (text) => {
      try {
        expander.expand(text, environment);
      } catch (error) {
        assert(error instanceof DockerfileError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('expand() of a pattern with many stars takes no time', () => {
  const values = environmentOf([`a=${'a'.repeat(3000)}`]);
  const started = performance.now();
  assert.equal(expander.expand(`\${a##${'*a'.repeat(50)}*b}`, values).text.length, 3000);
  assert.throws(() => expander.expand(`\${a//${'*?'.repeat(20)}b/x}`, values), /too long for the pattern/);
  assert(performance.now() - started < 5000);
});
