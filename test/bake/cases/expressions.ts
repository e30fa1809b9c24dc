import type { BakeCase } from '../bake-case.ts';
import { hcl } from '../bake-case.ts';

/** A target whose arguments are these expressions. */
const args = (name: string, expressions: Readonly<Record<string, string>>, before = ''): BakeCase =>
  hcl(
    name,
    `${before}target "default" {\n  args = {\n${Object.entries(expressions)
      .map(([key, value]) => `    ${key} = ${value}\n`)
      .join('')}  }\n}\n`,
  );

export const expressionCases: readonly BakeCase[] = [
  args('expression: arithmetic', {
    a: '1 + 2 * 3',
    b: '(1 + 2) * 3',
    c: '7 / 2',
    d: '7 % 3',
    e: '-7 % 3',
    f: '1 / 3',
    g: '0.1 + 0.2',
    h: '2e3',
    i: '1.50',
    j: '-(-5)',
    k: '10 - 2 - 3',
    l: '100000000000000000000000001 + 1',
    m: '1 / 8',
    n: '1e-7',
  }),
  args('expression: comparison and logic', {
    a: '1 < 2 && 2 <= 2',
    b: '1 > 2 || "a" == "a"',
    c: '!(1 != 1)',
    d: '"1" == 1',
    e: '[1,2] == [1,2]',
    f: '{a=1} == {a=1}',
    g: 'true && "true"',
    h: '1 >= 1',
    i: 'null == null',
  }),
  args('expression: conditionals', {
    a: 'true ? "x" : "y"',
    b: '1 > 2 ? 1 : "two"',
    c: 'false ? missing : "there"',
    d: 'true ? null : "x"',
    e: 'true ? 5 : "x"',
    f: 'true ? true : "x"',
  }),
  args(
    'expression: templates',
    {
      a: '"a${v}b"',
      b: '"${v}"',
      c: '"$${v} %%{if}"',
      d: '"%{ if v == "x" }yes%{ else }no%{ endif }"',
      e: '"%{ for i in [1,2,3] }${i},%{ endfor }"',
      f: '"x  ${~ v ~}  y"',
      g: '"tab\\tnl\\nq\\"b\\\\u\\u00e9\\U0001F600"',
      h: '"%{ for k, w in { a = 1, b = 2 } ~}  ${k}=${w}; %{ endfor }"',
      i: '"${"nested ${v}"}"',
      j: '"cost: $5 100%"',
      k: '"${1 + 1}${true}"',
    },
    'variable "v" { default = "x" }\n',
  ),
  hcl(
    'expression: heredocs',
    `target "default" {
  dockerfile-inline = <<EOT
FROM scratch
  COPY \${v} /
EOT
  args = {
    flush = <<-EOT
      one
        two

      three \${v}
    EOT
    control = <<-EOT
      %{ for x in ["a", "b"] ~}
      item \${x}
      %{ endfor ~}
      end
    EOT
    raw = <<X
back\\slash "quoted"
X
  }
}
variable "v" { default = "here" }
`,
  ),
  args('expression: for', {
    a: 'join(",", [for x in ["a", "b"] : upper(x)])',
    b: 'join(",", [for i, x in ["a", "b"] : "${i}${x}" if x != "a"])',
    c: 'jsonencode({for k, v in { a = 1, b = 2 } : v => k})',
    d: 'jsonencode({for w in ["ab", "ac", "b"] : substr(w, 0, 1) => w...})',
    e: 'join(",", [for k, v in { z = 1, a = 2 } : k])',
    f: 'jsonencode([for x in [] : x])',
  }),
  args(
    'expression: index, attributes and splats',
    {
      a: 'o.list[1]',
      b: 'o["list"][0]',
      c: 'o.list.1',
      d: 'join(",", o.people[*].name)',
      e: 'join(",", o.people.*.name)',
      f: 'jsonencode(o.people[*].tags[0])',
      g: 'jsonencode("single"[*])',
      h: 'o.people[0].name',
      i: 'jsonencode(null[*])',
    },
    'o = { list = ["x", "y"], people = [{ name = "n", tags = ["t"] }, { name = "m", tags = ["u", "v"] }] }\n',
  ),
  args('expression: objects and tuples', {
    a: 'jsonencode({ a = 1, "b c" = 2, (upper("d")) = 3, e : 4 })',
    b: 'jsonencode([1, "two", true, null, [3]])',
    c: 'jsonencode({\n      x = 1\n      y = 2,\n      z = 3\n    })',
    d: 'jsonencode([\n      1,\n      2,\n    ])',
  }),
  hcl(
    'expression: comments',
    `# one
// two
/* three
   four */
target "default" { # after
  tags = [ # inside
    "a", // more
    /* and */ "b",
  ]
}
`,
  ),
  hcl(
    'expression: global attributes',
    `registry = "example.com/\${team}"
team = "core"
target "default" {
  tags = ["\${registry}/app:\${length(list)}"]
}
list = [1, 2, 3]
`,
  ),
  args('expression: multi-line parentheses', {
    a: '(\n      1 +\n      2\n    )',
    b: 'join(\n      "-",\n      ["a",\n       "b"]\n    )',
  }),
  args('expression: unicode', {
    a: '"größe"',
    b: 'strlen("größe")',
    c: 'upper("ß é")',
    d: 'reverse("añb")',
    e: '"🙂"',
  }),
];
