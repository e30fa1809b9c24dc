import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Row, asMap, typed } from './go-value.ts';
import { Template, TemplateError } from './template.ts';

interface Golden {
  readonly data: unknown;
  readonly cases: readonly { readonly template: string; readonly output?: string; readonly error?: string }[];
}

test('execute() prints what docker inspect prints', async (suite) => {
  const path = new URL('../../../test/golden/cli/templates.json', import.meta.url);
  const { data, cases } = JSON.parse(readFileSync(path, 'utf8')) as Golden;
  const value = typed(data);
  for (const { template, output, error } of cases) {
    await suite.test(template, () => {
      if (error === undefined) assert.equal(new Template(template).execute(value), output);
      else {
        assert.throws(
          () => new Template(template).execute(value),
          (thrown: unknown) => {
            assert.ok(thrown instanceof TemplateError);
            assert.equal(thrown.message, error);
            return true;
          },
        );
      }
    });
  }
});

const rendered: readonly (readonly [string, unknown, string])[] = [
  ['{{range $i, $x := .}}{{if $i}},{{end}}{{$x}}{{else}}none{{end}}', ['a', 'b'], 'a,b'],
  ['{{range .}}x{{else}}none{{end}}', [], 'none'],
  ['{{range $k, $v := .}}{{$k}}={{$v}} {{end}}', asMap({ b: 2, a: 1 }), 'a=1 b=2 '],
  ['{{with .a}}{{.}}{{else}}no{{end}}', asMap({}), 'no'],
  ['{{.a.b}}', asMap({ a: asMap({ b: 'deep' }) }), 'deep'],
  ['{{.missing}}', asMap({}), '<no value>'],
  ['a {{- " b " -}} c', {}, 'a b c'],
  ['{{/* gone */}}{{"\\x41\\u00e9\\n"}}', {}, 'Aé\n'],
  ['{{`raw\\n`}}', {}, 'raw\\n'],
  ['{{and 1 0 2}} {{or 0 "" 3}} {{not 0}}', {}, '0 3 true'],
  ['{{eq 1 2 3 1}} {{lt "a" "b"}} {{ge 2 2}}', {}, 'true true true'],
  ['{{printf "%03d|%-4s|%x|%v" 7 "ab" 255 .}}', ['p', 'q'], '007|ab  |ff|[p q]'],
  ['{{"abc" | printf "%s-%s" "x"}}', {}, 'x-abc'],
  ['{{ (index . 1) | upper }}', ['a', 'b'], 'B'],
  ['{{slice "abcdef" 1 3}} {{len "héllo"}}', {}, 'bc 6'],
  ['{{range .}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', ['a', 'b', 'c'], 'a'],
  ['{{$x := 1}}{{range .}}{{$x = .}}{{end}}{{$x}}', ['a', 'z'], 'z'],
  ['{{.}}', 1.5, '1.5'],
  ['{{.}}', 9007199254740993n, '9007199254740993'],
];

test('execute() follows text/template', async (suite) => {
  for (const [template, data, output] of rendered) {
    await suite.test(template, () => assert.equal(new Template(template).execute(data), output));
  }
});

test('execute() calls the columns of a row', () => {
  const row = new Row('*x.Context', {
    Name: () => 'n<',
    Label: (name) => `label ${String(name)}`,
    A: () => 1,
  });
  assert.equal(new Template('{{.Name}} {{.Label "q"}}').execute(row), 'n< label q');
  assert.equal(new Template('{{json .}}').execute(row), '{"A":1,"Name":"n\\u003c"}');
  assert.throws(
    () => new Template('{{.Nope}}').execute(row),
    /can't evaluate field Nope in type \*x\.Context/,
  );
});

test('a template that never ends is refused', () => {
  assert.throws(() => new Template('{{if .x}}'), /template: :1: unexpected EOF/);
  assert.throws(() => new Template('{{end}}'), /unexpected \{\{end\}\}/);
  assert.throws(() => new Template('{{range .}}{{else}}{{else}}{{end}}'), TemplateError);
});
