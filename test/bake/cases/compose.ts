import type { BakeCase } from '../bake-case.ts';

const compose = (name: string, text: string, options: Partial<BakeCase> = {}): BakeCase => ({
  name,
  files: { 'compose.yaml': text, ...options.files },
  ...(options.args && { args: options.args }),
  ...(options.environment && { environment: options.environment }),
});

export const composeCases: readonly BakeCase[] = [
  compose(
    'compose: services',
    `services:
  web:
    build: ./web
    image: example.com/web:1
  db:
    image: postgres
  worker.two:
    build:
      context: worker
      dockerfile: D
      args:
        A: 1
        B: "two"
      labels:
        - "x=y"
      target: run
      tags: [t1, t2]
`,
  ),
  compose(
    'compose: every key of build',
    `services:
  all:
    image: img
    build:
      context: .
      dockerfile_inline: |
        FROM scratch
      additional_contexts:
        base: service:other
        src: ./src
      args: ["A=1", "B"]
      cache_from: ["type=local,src=c", "name"]
      cache_to: ["type=inline"]
      extra_hosts: ["a=1.2.3.4", "b:5.6.7.8"]
      labels: {l: v}
      network: host
      no_cache: true
      pull: true
      platforms: [linux/amd64, linux/arm64]
      secrets: [tok, envsec]
      shm_size: 256m
      ulimits:
        nofile: {soft: 10, hard: 20}
      provenance: mode=max
      sbom: true
  other:
    build: {context: other}
secrets:
  tok: {environment: OTHER}
  envsec: {environment: TOK}
`,
    { environment: { B: 'from env' } },
  ),
  compose(
    'compose: x-bake',
    `services:
  web:
    build:
      context: .
      tags: [a]
      cache_from: [one]
      x-bake:
        tags: [b, a]
        cache-from: two three
        cache-to: type=inline
        platforms: linux/amd64 linux/arm64
        output: [type=docker]
        secret: ["id=s,env=S"]
        pull: true
        no-cache: true
        no-cache-filter: [f]
        contexts: {c: "target:x.y"}
`,
  ),
  compose(
    'compose: variables',
    `services:
  web:
    image: "app:\${TAG:-latest}"
    build:
      context: "\${DIR-.}"
      args:
        A: $PLAIN
        B: "\${SET:+yes}"
        C: "$$literal"
        D: "\${EMPTY:-def}"
        E: "\${NEST:-\${PLAIN}}"
`,
    { environment: { PLAIN: 'p', SET: '1', EMPTY: '' }, files: { '.env': 'DIR=from-env-file\nTAG="1.2"\n' } },
  ),
  compose('compose: .env', 'services:\n  web:\n    image: "app:${TAG}"\n    build: "${DIR}"\n', {
    files: { '.env': '# c\nDIR=dir\nexport TAG="t${DIR}" # x\nQ=\'a b\'\n' },
  }),
  compose('compose: a required variable', 'services:\n  web:\n    build: "${DIR:?set it}"\n'),
  compose(
    'compose: arguments of environment and env_file',
    `services:
  web:
    environment: {E1: one}
    env_file: [my.env]
    build:
      context: .
      args: [E1, E2, E3, E4=x]
`,
    { files: { 'my.env': 'E2=two\n' }, environment: { E3: 'three' } },
  ),
  {
    name: 'compose: several files',
    files: {
      'a.yaml': 'services:\n  web:\n    build: {context: a, args: {A: 1}, tags: [x], cache_from: [c]}\n',
      'b.yaml':
        'services:\n  web:\n    build: {dockerfile: D, args: [B=2], tags: [y], cache_from: [d]}\n  two:\n    build: two\n',
    },
    args: ['--print', '-f', 'a.yaml', '-f', 'b.yaml'],
  },
  {
    name: 'compose: with HCL',
    files: {
      'compose.yaml': 'services:\n  web:\n    build: {context: a, args: {A: 1}}\n    image: img\n',
      'docker-bake.hcl':
        'target "web" {\n  args = { B = "2" }\n  tags = ["hcl"]\n}\ngroup "default" { targets = ["web", "x"] }\ntarget "x" {}\n',
    },
  },
  compose('compose: nothing to build', 'services:\n  db:\n    image: postgres\n'),
  compose('compose: unknown key of build', 'services:\n  web:\n    build: {contxt: a}\n'),
  compose(
    'compose: extends',
    'services:\n  base:\n    build: {context: b, args: {A: 1}}\n  web:\n    extends: {service: base}\n    build: {args: {B: 2}}\n',
  ),
  compose(
    'compose: anchors',
    'x-a: &a\n  context: ctx\n  args: {A: 1}\nservices:\n  web:\n    build:\n      <<: *a\n      dockerfile: D\n',
  ),
  compose('compose: an unknown secret', 'services:\n  web:\n    build: {context: a, secrets: [x]}\n'),
  {
    name: 'compose: from standard input',
    files: {},
    args: ['--print', '-f', '-'],
    stdin: 'services:\n  web:\n    build: w\n',
  },
  compose('compose: one service by name', 'services:\n  a.b:\n    build: x\n  c:\n    build: y\n', {
    args: ['--print', 'a.b'],
  }),
  compose('compose: list', 'services:\n  web:\n    build: x\n', { args: ['--list=targets'] }),
];
