import type { BakeCase } from '../bake-case.ts';
import { hcl } from '../bake-case.ts';

const typed = `variable "s" {
  type = string
  default = "text"
  description = "a <text>"
}
variable "n" {
  type = number
  default = 1.50
}
variable "b" {
  type = bool
  default = true
}
variable "l" {
  type = list(string)
  default = ["a", "b"]
}
variable "m" {
  type = map(number)
  default = { x = 1 }
}
variable "t" {
  type = tuple([string, number])
  default = ["a", 1]
}
variable "o" {
  type = object({ name = string, port = optional(number) })
  default = { name = "n" }
}
variable "st" {
  type = set(string)
  default = ["b", "a", "b"]
}
variable "nothing" { type = string }
variable "plain" {}
variable "any" {
  type = any
  default = [1, "x"]
}
variable "inferred" { default = { a = [1, true] } }
target "default" {
  args = {
    s = s
    n = n
    b = b
    l = jsonencode(l)
    m = jsonencode(m)
    t = jsonencode(t)
    o = jsonencode(o)
    st = jsonencode(st)
    nothing = nothing == null
    plain = "<\${plain}>"
  }
}
`;

export const variableCases: readonly BakeCase[] = [
  hcl(
    'variable: overridden by the environment',
    `variable "TAG" { default = "latest" }
variable "PORT" { default = 80 }
variable "DEBUG" { default = false }
variable "NAME" {}
variable "NONE" { default = null }
target "default" {
  tags = ["app:\${TAG}"]
  args = { p = PORT + 1, d = DEBUG ? "yes" : "no", n = NAME, x = NONE }
}
`,
    { environment: { TAG: '1.0', PORT: '8080', DEBUG: '1', NAME: 'me', NONE: 'some' } },
  ),
  hcl(
    'variable: refers to others',
    `variable "A" { default = "a\${B}" }
variable "B" { default = "b\${C}" }
variable "C" { default = upper(D) }
D = "d"
target "default" { args = { a = A } }
`,
  ),
  hcl('variable: in a ring', 'variable "A" { default = "x${A}" }\ntarget "default" { args = { a = A } }\n'),
  hcl('variable: typed', typed),
  hcl('variable: typed, list of variables', typed, { args: ['--list=variables'] }),
  hcl('variable: typed, list of variables as JSON', typed, { args: ['--list=type=variables,format=json'] }),
  hcl('variable: typed, from the environment as CSV', typed, {
    environment: {
      s: 'S',
      n: '7',
      b: 'false',
      l: 'x,"y,z"',
      m: 'k:5,j:6',
      t: 'q,3',
      st: 'z,y,z',
      nothing: '',
    },
  }),
  hcl('variable: typed, from the environment as JSON', typed, {
    environment: {
      l_JSON: '["j"]',
      o_JSON: '{"name":"json","port":8}',
      m_JSON: '{"a":1}',
      s_JSON: '"quoted"',
      n_JSON: '12',
    },
  }),
  hcl('variable: bad number', 'variable "N" { default = 1 }\ntarget "default" { args = { n = N } }\n', {
    environment: { N: 'x' },
  }),
  hcl('variable: bad bool', 'variable "N" { default = true }\ntarget "default" { args = { n = N } }\n', {
    environment: { N: 'x' },
  }),
  hcl('variable: list without a type', 'variable "N" { default = ["a"] }\ntarget "default" { tags = N }\n', {
    environment: { N: 'x' },
  }),
  hcl(
    'variable: object that is no JSON',
    'variable "N" {\n  type = object({ a = string })\n}\ntarget "default" {}\n',
    { environment: { N: 'x' } },
  ),
  hcl(
    'variable: default of another type',
    'variable "N" {\n  type = number\n  default = "x"\n}\ntarget "default" {}\n',
  ),
  hcl('variable: unknown type', 'variable "N" {\n  type = text\n  default = "x"\n}\ntarget "default" {}\n'),
  hcl(
    'variable: validation passes',
    `variable "N" {
  default = 5
  validation {
    condition = N > 3
    error_message = "too small"
  }
  validation {
    condition = N < 9
    error_message = "too large"
  }
}
target "default" { args = { n = N } }
`,
  ),
  hcl(
    'variable: validation fails',
    `variable "N" {
  default = 5
  validation {
    condition = N > 3
    error_message = "N must be greater than 3, not \${N}."
  }
}
target "default" {}
`,
    { environment: { N: '2' } },
  ),
  hcl(
    'variable: validation that is no condition',
    `variable "N" {
  validation {
    condition = "maybe"
    error_message = "x"
  }
}
target "default" {}
`,
  ),
  hcl(
    'variable: validation without a message',
    'variable "N" {\n  validation {\n    condition = true\n  }\n}\ntarget "default" {}\n',
  ),
  hcl(
    'variable: defined twice, the last one counts',
    'variable "N" { default = "a" }\nvariable "N" { default = "b" }\ntarget "default" { args = { n = N } }\n',
  ),
  hcl('variable: attributes are not overridden', 'N = "a"\ntarget "default" { args = { n = N } }\n', {
    environment: { N: 'env' },
  }),
];
