import type { BakeCase } from '../bake-case.ts';
import { hcl } from '../bake-case.ts';

export const matrixCases: readonly BakeCase[] = [
  hcl(
    'matrix: one axis',
    `target "app" {
  name = "app-\${tgt}"
  matrix = { tgt = ["foo", "bar"] }
  target = tgt
  tags = ["x:\${tgt}"]
}
`,
    { args: ['--print', 'app-foo', 'app-bar'] },
  ),
  hcl(
    'matrix: of objects',
    `variable "versions" { default = ["1.0", "2.0"] }
target "app" {
  name = "app-\${replace(item.v, ".", "-")}-\${item.os}"
  matrix = { item = [for p in setproduct(versions, ["a", "b"]) : { v = p[0], os = p[1] }] }
  args = { V = item.v, OS = item.os }
}
`,
    { args: ['--print', 'app-1-0-a', 'app-2-0-b'] },
  ),
  hcl('matrix: without names', 'target "app" {\n  matrix = { a = ["x", "y"] }\n  tags = [a]\n}\n', {
    args: ['--print', 'app'],
  }),
  hcl('matrix: name without matrix', 'target "app" {\n  name = "x"\n}\n', { args: ['--print', 'app'] }),
  hcl('matrix: no map', 'target "app" {\n  name = "x"\n  matrix = ["a"]\n}\n', { args: ['--print', 'app'] }),
  hcl('matrix: no lists', 'target "app" {\n  name = "x"\n  matrix = { a = "b" }\n}\n', {
    args: ['--print', 'app'],
  }),
  hcl('matrix: bad name', 'target "app" {\n  name = "x.y"\n  matrix = { a = ["b"] }\n}\n', {
    args: ['--print', 'app'],
  }),
  hcl('matrix: of a group', 'group "g" {\n  matrix = { a = ["b"] }\n  targets = []\n}\n', {
    args: ['--print', 'g'],
  }),
  hcl(
    'matrix: referred to and inherited from',
    `target "base" {
  name = "base-\${v}"
  matrix = { v = ["1", "2"] }
  args = { V = v }
}
target "one" {
  inherits = ["base-1"]
  tags = ["t:\${target.base-2.args.V}"]
}
`,
    { args: ['--print', 'one'] },
  ),
  hcl(
    'matrix: with one value',
    'target "app" {\n  name = "app"\n  matrix = { a = ["only"] }\n  tags = [a]\n}\n',
    { args: ['--print', 'app'] },
  ),
];
