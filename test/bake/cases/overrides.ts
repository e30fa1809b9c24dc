import type { BakeCase } from '../bake-case.ts';
import { hcl } from '../bake-case.ts';

const base = `group "default" { targets = ["web", "db"] }
target "web" {
  tags = ["web:1"]
  args = { A = "1" }
  labels = { l = "1" }
  output = ["type=image,name=web"]
  cache-from = ["old"]
  secret = ["id=a,env=F"]
  platforms = ["linux/amd64"]
  entitlements = ["network.host"]
}
target "db" { context = "db" }
`;
const set = (name: string, ...args: readonly string[]): BakeCase =>
  hcl(name, base, { args: ['--print', ...args] });

export const overrideCases: readonly BakeCase[] = [
  set(
    'set: texts and maps',
    '--set',
    'web.context=ctx',
    '--set',
    'web.dockerfile=D',
    '--set',
    'web.args.B=2',
    '--set',
    'web.args.A=x',
    '--set',
    'web.labels.com.example=1',
    '--set',
    'web.target=t',
    '--set',
    'web.contexts.base=docker-image://a',
    '--set',
    'web.extra-hosts.h=1.2.3.4',
  ),
  set(
    'set: lists',
    '--set',
    'web.tags=a',
    '--set',
    'web.tags=b',
    '--set',
    'web.platform=linux/arm64',
    '--set',
    'web.cache-from=type=local,src=x',
    '--set',
    'web.cache-to=type=inline',
    '--set',
    'web.output=type=local,dest=o',
    '--set',
    'web.secrets=id=b,env=B',
  ),
  set(
    'set: appended',
    '--set',
    'web.tags+=b',
    '--set',
    'web.platform+=linux/arm64',
    '--set',
    'web.cache-from+=new',
    '--set',
    'web.output+=type=tar,dest=o',
    '--set',
    'web.secrets+=id=b,env=B',
    '--set',
    'web.entitlements=security.insecure',
    '--set',
    'web.annotations=a=b',
    '--set',
    'web.attest=type=sbom',
  ),
  set(
    'set: all targets',
    '--set',
    '*.platform=linux/arm64',
    '--set',
    '*.pull=true',
    '--set',
    'w*.no-cache=1',
  ),
  set('set: network', '--set', 'web.network=host'),
  set('set: call', '--set', 'web.call=check'),
  set('set: unknown key', '--set', 'web.foo=1'),
  set('set: unknown target', '--set', 'nope.tags=1'),
  set('set: no key', '--set', 'web=1'),
  set('set: no value', '--set', 'web.tags'),
  set('set: bad boolean', '--set', 'web.pull=maybe'),
  set('set: arguments without a name', '--set', 'web.args=1'),
  hcl('set: argument of the environment', base, {
    args: ['--print', '--set', 'web.args.FROM_ENV', '--set', 'web.args.NOT_THERE'],
    environment: { FROM_ENV: 'yes' },
  }),
  set('flag: push', '--push'),
  set('flag: load', '--load'),
  set('flag: push and load', '--push', '--load'),
  set('flag: no-cache and pull', '--no-cache', '--pull'),
  set('flag: attestations', '--provenance=mode=max', '--sbom=true'),
  set('flag: attestations off', '--provenance=false'),
  set('flag: call', '--call=outline'),
  set('flag: check', '--check'),
  set('flag: unknown call', '--call=foo'),
  set(
    'set: shm size and ulimits',
    '--set',
    'web.shm-size=1g',
    '--set',
    'web.ulimits=nofile=1',
    '--set',
    'web.no-cache-filter=a',
  ),
  hcl(
    'set: push off',
    'target "default" { output = ["type=registry", "type=image,name=a,push=true", "type=docker"] }\n',
    { args: ['--print', '--set', '*.push=false'] },
  ),
  hcl('list: targets', `${base}group "_hidden" { targets = ["web"] }\n`, { args: ['--list=targets'] }),
  hcl('list: targets as JSON', `${base}group "_hidden" { targets = ["web"] }\n`, {
    args: ['--list=type=targets,format=json'],
  }),
  hcl(
    'list: descriptions',
    'group "g" {\n  description = "all"\n  targets = ["b", "a"]\n}\ntarget "a" { description = "first" }\ntarget "b" {}\n',
    { args: ['--list', 'targets'] },
  ),
  hcl('list: bad type', base, { args: ['--list=foo'] }),
  hcl('list: with print', base, { args: ['--list=targets', '--print'] }),
];
