import type { BakeCase } from '../bake-case.ts';
import { hcl } from '../bake-case.ts';

export const targetCases: readonly BakeCase[] = [
  hcl('target: nothing but a name', 'target "default" {}\n'),
  hcl(
    'target: every attribute',
    `target "default" {
  description = "all of <it> & more"
  annotations = ["index,manifest:org.opencontainers.image.authors=dev", "a=b", "a=b"]
  attest = ["type=provenance,mode=max", "type=sbom"]
  context = "./app/../app"
  contexts = { base = "docker-image://alpine", src = "../src" }
  dockerfile = "docker/Dockerfile"
  dockerfile-inline = "FROM \${x}\\nRUN echo %%{y}"
  args = { VERSION = "1", EMPTY = "", NUMBER = 2.50, BOOL = true }
  labels = { "com.example.a" = "<b>" }
  tags = ["a:1", "b:2", "a:1", ""]
  cache-from = ["user/app:cache", "type=local,src=path"]
  cache-to = ["type=inline", "type=local,dest=path,mode=max"]
  target = "stage"
  secret = ["id=aws,env=AWS", "type=env,id=KUBE,src=X"]
  platforms = ["linux/amd64", "linux/arm64"]
  output = ["type=image,name=x", "out", "-"]
  pull = true
  no-cache = false
  network = "host"
  no-cache-filter = ["a", "b", "a"]
  shm-size = "128m"
  ulimits = ["nofile=1024:1024"]
  call = "check"
  entitlements = ["security.insecure"]
  extra-hosts = { my = "1.2.3.4" }
}
variable "x" { default = "scratch" }
`,
  ),
  hcl(
    'target: entries as objects',
    `target "default" {
  cache-from = [{ type = "registry", ref = "user/app" }, { type = "gha" }]
  cache-to = [{ type = "local", dest = "d", mode = "max" }]
  output = [{ type = "local", dest = "out" }, { type = "oci" }]
  secret = [{ id = "a", env = "F" }, { id = "b", env = "B" }, { id = "a", env = "X" }]
  attest = [{ type = "provenance", mode = "min" }, { type = "sbom", disabled = "true" }]
}
`,
  ),
  hcl(
    'target: inherits merges attributes by their rules',
    `target "base" {
  args = { A = "1", B = "1" }
  labels = { x = "base" }
  tags = ["base:1"]
  platforms = ["linux/amd64"]
  output = ["type=docker"]
  cache-from = ["one"]
  cache-to = ["type=inline"]
  secret = ["id=a,env=1"]
  no-cache-filter = ["a"]
  annotations = ["a=1"]
  entitlements = ["network.host"]
  attest = ["type=sbom"]
  contexts = { a = "b" }
  pull = true
  description = "base"
}
target "mid" {
  args = { C = "2" }
  dockerfile = "mid.Dockerfile"
}
target "default" {
  inherits = ["base", "mid"]
  args = { B = "2", A = null }
  labels = { y = "own" }
  tags = ["own:1"]
  platforms = []
  output = ["type=registry"]
  cache-from = ["two", "one"]
  cache-to = []
  secret = ["id=a,env=2", "id=b,env=B"]
  no-cache-filter = ["b"]
  annotations = ["b=2"]
  attest = ["type=sbom,disabled=true", "type=provenance"]
  contexts = { a = "", c = "d" }
}
`,
  ),
  hcl(
    'target: inherits in a ring',
    `target "a" { inherits = ["b"] }
target "b" {
  inherits = ["a"]
  tags = ["b"]
}
`,
    { args: ['--print', 'a'] },
  ),
  hcl(
    'target: defined twice in one file',
    `target "default" {
  tags = ["a"]
  args = { x = 1 }
}
target "default" {
  dockerfile = "D"
  args = { y = 2 }
}
`,
  ),
  hcl(
    'group: groups of groups',
    `group "default" { targets = ["all", "extra"] }
group "all" {
  description = "everything"
  targets = ["a", "more"]
}
group "more" { targets = ["b", "c", "a"] }
target "a" {}
target "b" { context = "b" }
target "c" { context = "/abs//c/" }
target "extra" {}
`,
  ),
  hcl(
    'group: several names asked for',
    `group "g" { targets = ["a"] }
target "a" {}
target "b" {}
target "c" {}
`,
    { args: ['--print', 'g', 'b'] },
  ),
  hcl(
    'group: names with wildcards',
    `target "web-1" {}
target "web-2" {}
target "db" {}
`,
    { args: ['--print', 'web-*'] },
  ),
  hcl(
    'target: linked targets',
    `target "default" {
  contexts = { base = "target:base", tools = "target:tools" }
  args = { a = 1 }
}
target "base" {
  tags = ["base"]
  output = ["type=docker"]
}
target "tools" {
  contexts = { base = "target:base" }
  network = "host"
}
`,
  ),
  hcl(
    'target: linked in a ring',
    `target "default" { contexts = { b = "target:b" } }
target "b" { contexts = { a = "target:default" } }
`,
  ),
  hcl('target: linked to itself', 'target "default" { contexts = { b = "target:default" } }\n'),
  hcl(
    'target: reads attributes of others',
    `target "a" {
  tags = ["x/a:1", "x/a:2"]
  args = { V = "1.2" }
  context = "ctx"
  platforms = ["linux/amd64"]
}
target "default" {
  tags = [for t in target.a.tags : replace(t, "a", "b")]
  args = { V = target.a.args.V, W = target.a.args["V"] }
  context = "\${target.a.context}/sub"
  platforms = target.a.platforms
  dockerfile = target.a.dockerfile == null ? "none" : "some"
}
`,
  ),
  hcl('target: unknown attributes are left alone', 'target "default" {\n  foo = "x"\n  tags = ["t"]\n}\n'),
  hcl(
    'target: context of the command',
    `target "default" {
  context = BAKE_CMD_CONTEXT
  args = { P = BAKE_LOCAL_PLATFORM }
}
`,
  ),
  hcl('target: SOURCE_DATE_EPOCH of the environment', 'target "default" {}\n', {
    environment: { SOURCE_DATE_EPOCH: '1600000000' },
  }),
  hcl(
    'target: remote contexts',
    `group "default" { targets = ["git", "http", "cwd"] }
target "git" { context = "https://github.com/docker/buildx.git#master:./dir" }
target "http" { context = "https://example.com/x.tar.gz" }
target "cwd" { context = "cwd://a/./b" }
`,
  ),
  hcl('target: ssh without an agent', 'target "default" { ssh = ["default"] }\n', {
    environment: { SSH_AUTH_SOCK: '' },
  }),
  hcl('target: a secret whose file is missing', 'target "default" { secret = ["id=a,src=missing"] }\n'),
  hcl('target: a secret without an id', 'target "default" { secret = ["src=missing"] }\n'),
  hcl('target: an output without a destination', 'target "default" { output = ["type=local"] }\n'),
  hcl('target: a bad platform', 'target "default" { platforms = ["a/b/c/d"] }\n'),
  hcl('target: a bad size', 'target "default" { shm-size = "lots" }\n'),
  hcl('target: a bad limit', 'target "default" { ulimits = ["nofile"] }\n'),
  hcl('target: a bad annotation', 'target "default" { annotations = ["x"] }\n'),
];
