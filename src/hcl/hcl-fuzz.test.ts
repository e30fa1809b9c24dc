import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HclError } from './diagnostic.ts';
import { evaluate } from './eval/evaluate.ts';
import { Scope } from './eval/scope.ts';
import { standardLibrary } from './functions/standard-library.ts';
import { JsonBody } from './json/json-body.ts';
import { parseJson } from './json/parse-json.ts';
import { parseNative } from './syntax/parse-file.ts';
import type { Body } from './syntax/body.ts';

const functions = standardLibrary({ now: () => 0, homeFolder: '/root' });
const schema = { attributes: [], blocks: { target: ['name'], group: ['name'] } };

/** Reads and evaluates all that can be; complaints are fine, anything else is thrown. */
function readWhole(read: () => Body): void {
  try {
    const body = read();
    const bodies = [body, ...body.content(schema).blocks.map((block) => block.body)];
    for (const { expression } of bodies.flatMap((each) => each.attributes())) {
      evaluate(expression, new Scope(new Map(), functions));
    }
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    assert.notEqual(error.message, '');
  }
}

const pieces = [
  ...[
    'target "a" {',
    '}',
    '{',
    '[',
    ']',
    '(',
    ')',
    '"',
    '\n',
    'a = ',
    'x',
    '${',
    '%{ if true }',
    '%{ for a in b }',
  ],
  ...[
    '%{ endif }',
    '%{ endfor ~}',
    '~}',
    '<<EOT\n',
    '<<-EOT\n',
    'EOT\n',
    'for x in ',
    ': ',
    '=>',
    '...',
    '...',
    ',',
  ],
  ...[
    '?',
    '==',
    '&&',
    '||',
    '!',
    '-',
    '+',
    '*',
    '/',
    '%',
    '<',
    '.',
    '.*',
    '[*]',
    '1',
    '1e9',
    '0.1',
    'null',
    'true',
  ],
  ...[
    'upper(',
    'range(',
    'format("%s %d", ',
    'regex("',
    'concat(',
    'try(',
    '#',
    '//',
    '/*',
    '*/',
    '\\',
    '\\u12',
    "'",
  ],
  ...[
    'é',
    '🙂',
    '\t',
    '$${',
    '"${',
    '}"',
    '::',
    '\r\n',
    '"//": 1',
    'formatdate("',
    'setproduct(',
    'jsondecode("',
  ],
];

test('parseNative() and evaluate() complain about any text in finite time', () => {
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );
  const options = { numRuns: Number(process.env['WHARF_FUZZ_RUNS'] ?? 2000) };
  fc.assert(
    fc.property(text, (source) => readWhole(() => parseNative({ name: 'fuzz.hcl', text: source }))),
    options,
  );
});

test('parseJson() complains about any text in finite time', () => {
  const text = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ target: fc.dictionary(fc.string(), fc.jsonValue()), x: fc.string() })
      .map((each) => JSON.stringify(each)),
  );
  fc.assert(
    fc.property(text, (source) =>
      readWhole(() => new JsonBody(parseJson({ name: 'fuzz.json', text: source }))),
    ),
  );
});

test('parseNative() refuses nesting that nobody writes, and evaluate() can do what is left', () => {
  for (const sign of ['(', '[', '{ a = ', '-', '!', '"${', 'a ? b : ', '[for x in ', '1 + ', 'a.', 'a[']) {
    readWhole(() => parseNative({ name: 'deep.hcl', text: `a = ${sign.repeat(20_000)}` }));
  }
  for (const text of [
    `${'1 + '.repeat(450)}1`,
    `${'('.repeat(140)}1${')'.repeat(140)}`,
    `"${'${"'.repeat(70)}x${'"}'.repeat(70)}"`,
  ]) {
    const [attribute] = parseNative({ name: 'a.hcl', text: `a = ${text}` }).attributes();
    assert.ok(attribute && evaluate(attribute.expression, new Scope(new Map(), functions)));
  }
  readWhole(() => parseNative({ name: 'long.hcl', text: `a = {}${'.b'.repeat(20_000)}` }));
  readWhole(() => new JsonBody(parseJson({ name: 'deep.json', text: '['.repeat(100_000) })));
});
