import type { BakeCase } from '../bake-case.ts';

export const fileCases: readonly BakeCase[] = [
  {
    name: 'files: JSON',
    files: {
      'docker-bake.json': JSON.stringify({
        '//': 'a comment',
        variable: { TAG: { default: 'latest' }, N: { type: 'number', default: 3 } },
        function: { f: { params: ['x'], result: '${upper(x)}' } },
        group: { default: { targets: ['web', 'db'] } },
        target: {
          web: {
            tags: ['web:${TAG}', '${f("abc")}:1'],
            args: { a: '${N + 1}', 'k${N}': 'v', b: true, c: 1.5, d: null },
            platforms: ['linux/amd64'],
            output: [{ type: 'local', dest: 'out' }],
            'no-cache': true,
          },
          db: [{ context: 'db' }, { dockerfile: 'D' }],
        },
      }),
    },
  },
  {
    name: 'files: the default ones together',
    files: {
      'docker-bake.json': '{"target": {"default": {"tags": ["json"], "args": {"a": "1"}}}}',
      'docker-bake.hcl': 'target "default" {\n  tags = ["hcl"]\n  args = { b = "2" }\n}\n',
      'docker-bake.override.json': '{"target": {"default": {"dockerfile": "override-json"}}}',
      'docker-bake.override.hcl':
        'target "default" { tags = ["override"] }\nvariable "V" { default = "x" }\n',
    },
  },
  {
    name: 'files: variables and attributes over several',
    files: {
      'a.hcl': 'variable "V" { default = "a" }\nx = "from a"\ntarget "default" { args = { v = V, x = x } }\n',
      'b.hcl': 'variable "V" { default = "b" }\nx = "from b"\n',
    },
    args: ['--print', '-f', 'a.hcl', '-f', 'b.hcl'],
  },
  {
    name: 'files: groups over several',
    files: {
      'a.hcl': 'group "default" { targets = ["a"] }\ntarget "a" {}\n',
      'b.hcl': 'group "default" { targets = ["b"] }\ntarget "b" {}\n',
    },
    args: ['--print', '-f', 'a.hcl', '-f', 'b.hcl'],
  },
  {
    name: 'files: standard input',
    files: {},
    args: ['--print', '-f', '-'],
    stdin: 'target "default" { tags = ["in"] }\n',
  },
  {
    name: 'files: JSON from standard input',
    files: {},
    args: ['--print', '-f', '-'],
    stdin: '{"target":{"default":{"tags":["in"]}}}',
  },
  {
    name: 'files: a name without an ending',
    files: { Bakefile: 'target "default" { tags = ["x"] }\n' },
    args: ['--print', '-f', 'Bakefile'],
  },
  { name: 'files: none', files: {} },
  { name: 'files: missing', files: {}, args: ['--print', '-f', 'nope.hcl'] },
  {
    name: 'files: of the environment',
    files: {
      'x.hcl': 'target "default" { tags = ["x"] }\n',
      'y.hcl': 'target "default" { dockerfile = "y" }\n',
    },
    environment: { BUILDX_BAKE_FILE: 'x.hcl:y.hcl' },
  },
  { name: 'files: empty', files: { 'docker-bake.hcl': '' } },
];
