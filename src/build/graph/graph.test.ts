import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planWithTestImages } from '../../../test/builds/plan-case.ts';
import { findGitSource, isHttpSource } from './git-source.ts';
import { findNamedContext, parseNamedContext } from './named-context.ts';
import { planBuild } from './plan-build.ts';
import type { BuildPlan, PlanOptions } from './plan-options.ts';
import { inputsOf } from './vertex.ts';
import type { CopyAction, ExecVertex, Vertex } from './vertex.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };

function plan(rows: readonly string[], options: PlanOptions = {}): BuildPlan {
  const result = planWithTestImages(`${rows.join('\n')}\n`, { buildPlatforms: [amd64], ...options });
  if (result.kind === 'failed') throw result.error;
  assert(result.kind === 'plan');
  return result;
}

const vertices = ({ graph }: BuildPlan): Vertex[] => [...graph.vertices.values()];
const names = ({ graph }: BuildPlan): string[] => Array.from(graph.steps.values(), ({ name }) => name);
const execs = (made: BuildPlan): ExecVertex[] => vertices(made).filter((vertex) => vertex.kind === 'exec');
const copies = (made: BuildPlan): CopyAction[] =>
  vertices(made)
    .flatMap((vertex) => (vertex.kind === 'file' ? vertex.actions : []))
    .filter((action) => action.kind === 'copy');

test('planBuild() asks for the images that the target needs, once each, and for no others', () => {
  const text = 'FROM a AS one\nFROM b AS two\nCOPY --from=c /x /y\nRUN --mount=from=a,target=/z true\n';
  const result = planBuild(text, { buildPlatforms: [amd64], target: 'two' });
  assert(result.kind === 'needs');
  assert.deepEqual(
    result.images.map(({ reference, written }) => [reference, written]),
    [
      ['docker.io/library/b:latest', 'b'],
      ['docker.io/library/c:latest', 'c'],
      ['docker.io/library/a:latest', 'a'],
    ],
  );
});

test('planBuild() puts each vertex behind its inputs, and only what the target needs', () => {
  const made = plan(
    [
      'FROM busybox AS a',
      'RUN one',
      'FROM busybox AS unused',
      'RUN two',
      'FROM scratch',
      'COPY --from=a /x /y',
    ],
    {},
  );
  const seen = new Set<string>();
  for (const [id, vertex] of made.graph.vertices) {
    for (const input of inputsOf(vertex)) assert(seen.has(input));
    seen.add(id);
  }
  assert(seen.has(made.result));
  assert.deepEqual(names(made), [
    '[a 1/2] FROM docker.io/library/busybox:latest',
    '[a 2/2] RUN one',
    '[stage-2 1/1] COPY --from=a /x /y',
  ]);
});

test('planBuild() makes equal steps of several stages one', () => {
  const made = plan([
    ...['FROM busybox AS a', 'RUN same', 'RUN a', 'FROM busybox AS b', 'RUN same', 'RUN b'],
    ...['FROM scratch', 'COPY --from=a / /a', 'COPY --from=b / /b'],
  ]);
  assert.deepEqual(
    execs(made).map(({ args }) => args[2]),
    ['same', 'a', 'b'],
  );
});

test('planBuild() gives steps the same ids whenever their content is the same', () => {
  const rows = ['FROM busybox', 'ARG v', 'RUN first', 'ENV w=$v', 'RUN second'];
  const ids = (v: string): string[] => [...plan(rows, { buildArguments: { v } }).graph.vertices.keys()];
  assert.deepEqual(ids('1'), ids('1'));
  assert.equal(ids('1')[0], ids('2')[0]);
  assert.notEqual(ids('1')[1], ids('2')[1]);
  const commented = plan(['# a comment', ...rows.toSpliced(1, 0, '')], { buildArguments: { v: '1' } });
  assert.deepEqual([...commented.graph.vertices.keys()], ids('1'));
});

test('planBuild() keeps proxies out of what a step is, and build arguments beside it', () => {
  const given = { HTTP_PROXY: 'http://p', v: '2' };
  const made = plan(['FROM busybox', 'ARG v=1', 'RUN x'], { buildArguments: given });
  assert.deepEqual(execs(made)[0]?.env.slice(1), ['v=2']);
  assert.deepEqual(made.graph.steps.get(execsId(made))?.buildArguments, { v: '2' });
});

const execsId = ({ graph }: BuildPlan) => [...graph.vertices].find(([, { kind }]) => kind === 'exec')![0];

test('planBuild() marks the stages of which nothing is cached', () => {
  const rows = ['FROM busybox AS a', 'RUN a', 'FROM busybox AS b', 'RUN b', 'COPY --from=a / /'];
  const ignored = (noCache: PlanOptions['noCache']): string[] =>
    [...plan(rows, noCache ? { noCache } : {}).graph.steps.values()]
      .filter(({ ignoreCache }) => ignoreCache)
      .map(({ instruction }) => instruction);
  assert.deepEqual(ignored(undefined), []);
  assert.deepEqual(ignored(['B']), ['RUN b', 'COPY --from=a / /']);
  assert.deepEqual(ignored('all'), ['RUN a', 'RUN b', 'COPY --from=a / /']);
});

test('planBuild() says where copies lead to', () => {
  const rows = [
    'FROM scratch',
    'WORKDIR /w',
    'COPY a b',
    'COPY a .',
    'COPY a ./',
    'COPY a b/',
    'COPY a /b/.',
  ];
  const made = plan([...rows, 'COPY a ../c', 'COPY ../d/ ""']);
  assert.deepEqual(
    copies(made).map(({ source, destination }) => `${source} ${destination}`),
    ['/a /w/b', '/a /w/', '/a /w/', '/a /w/b/', '/a /b/.', '/a /c', '/d /w/'],
  );
});

test('planBuild() tells which paths of the build context are needed', () => {
  const rows = ['FROM busybox', 'COPY a b/ /x/', 'ADD ../c http://h.example/x /y/'];
  const mounted = [...rows, 'RUN --mount=source=d,target=/d true'];
  assert.deepEqual(plan(mounted).localPaths.get('context'), ['a', 'b/', 'c', 'd']);
  assert.equal(plan([...mounted, 'COPY . /']).localPaths.get('context'), undefined);
  const named = plan(['FROM busybox', 'COPY --from=other x /'], { contexts: { other: 'local:files' } });
  assert.deepEqual(named.localPaths.get('files'), ['x']);
});

test('planBuild() plans --parents, --exclude, --link and --chmod', () => {
  const flags = '--parents --exclude=*.md --link --chmod=u+x --chown=a:b';
  const made = plan(['FROM busybox', `COPY ${flags} x/y ./p/./q/*.c /z/`]);
  const [first, second] = copies(made);
  assert.deepEqual(
    [first?.source, first?.include, second?.source, second?.include],
    ['/', ['x/y'], '/p', ['q/*.c']],
  );
  assert.deepEqual([first?.exclude, first?.mode, first?.owner], [['*.md'], 'u+x', 'a:b']);
  assert.equal(vertices(made).at(-1)?.kind, 'merge');
});

test('planBuild() plans every kind of mount', () => {
  const made = plan(
    [
      'FROM busybox',
      'WORKDIR /w',
      'RUN --mount=target=ctx --mount=type=cache,target=c,sharing=locked --mount=type=tmpfs,target=/t,size=64m \\',
      '  --mount=type=secret,id=s --mount=type=secret,id=t,env=T --mount=type=ssh,mode=0666 \\',
      '  --mount=type=bind,from=busybox,source=etc,target=/e,rw x',
    ],
    { cacheNamespace: 'ns' },
  );
  const [run] = execs(made);
  const common = { uid: 0, gid: 0, required: false };
  assert.deepEqual(
    run?.mounts.map((mount) => ({ ...mount, ...('from' in mount && { from: undefined }) })),
    [
      { kind: 'bind', target: '/w/ctx', from: undefined, source: '/', readOnly: true },
      {
        ...{ kind: 'cache', target: '/w/c', from: undefined, source: '/' },
        ...{ id: 'ns/c', sharing: 'locked', readOnly: false },
      },
      { kind: 'tmpfs', target: '/t', size: 64 * 1024 * 1024, readOnly: false },
      { kind: 'secret', id: 's', env: undefined, target: '/run/secrets/s', mode: 0o400, ...common },
      { kind: 'secret', id: 't', env: 'T', target: undefined, mode: 0o400, ...common },
      { kind: 'ssh', id: 'default', target: undefined, mode: 0o666, ...common },
      { kind: 'bind', target: '/e', from: undefined, source: '/etc', readOnly: false },
    ],
  );
});

test('planBuild() takes named contexts in place of stages and images', () => {
  const contexts = {
    busybox: 'docker-image://debian:12',
    dep: 'local:dep',
    'x::linux/amd64': 'oci-layout://s@sha256:00',
  };
  const rows = [
    'FROM busybox AS dep',
    'RUN never',
    'FROM busybox',
    'COPY --from=dep a /a',
    'COPY --from=x b /b',
  ];
  const made = plan(rows, { contexts });
  assert.deepEqual(execs(made), []);
  assert.deepEqual(
    vertices(made).flatMap((vertex) =>
      vertex.kind === 'image' ? [vertex.reference] : vertex.kind === 'local' ? [vertex.name] : [],
    ),
    ['dep', 'docker.io/library/debian:12', 'x@sha256:00'],
  );
});

test('planBuild() runs the triggers of an image before the stage, and asks for what they copy from', () => {
  const text = 'FROM base\nENV own=1\n';
  const platform = amd64;
  const config = (OnBuild: readonly string[]) => ({
    ...amd64,
    config: { OnBuild },
    rootfs: { type: 'layers' as const, diff_ids: [] },
  });
  const images = new Map([
    [
      'docker.io/library/base:latest linux/amd64',
      { digest: '', config: config(['COPY --from=other /a /b', 'ENV x=1']) },
    ],
  ]);
  const first = planBuild(text, { buildPlatforms: [platform] }, images);
  assert(first.kind === 'needs');
  assert.deepEqual(
    first.images.map(({ written }) => written),
    ['other'],
  );
  images.set('docker.io/library/other:latest linux/amd64', { digest: '', config: config([]) });
  const made = planBuild(text, { buildPlatforms: [platform] }, images);
  assert(made.kind === 'plan');
  assert.equal(made.image.config.OnBuild, undefined);
  assert.deepEqual(
    made.image.history.map(({ created_by }) => created_by),
    ['COPY /a /b # buildkit', 'ENV x=1', 'ENV own=1'],
  );
});

test('planBuild() names steps by platform where several are built', () => {
  const options = { platform: { os: 'linux', architecture: 'arm64' }, multiPlatform: true };
  const made = plan(['FROM --platform=$BUILDPLATFORM busybox AS a', 'ARG TARGETARCH', 'RUN x'], options);
  assert.deepEqual(names(made), [
    '[linux/amd64 1/2] FROM docker.io/library/busybox:latest',
    '[linux/amd64->arm64 2/2] RUN x',
  ]);
  assert.equal(made.image.architecture, 'arm64');
});

test('planBuild() tells what is scanned for an SBOM', () => {
  const rows = [
    'ARG BUILDKIT_SBOM_SCAN_STAGE=a',
    'FROM busybox AS a',
    'RUN x',
    'FROM scratch',
    'COPY --from=a / /',
  ];
  assert.deepEqual([...plan(rows).scanned.keys()], ['a']);
  assert.deepEqual(
    [...plan(rows, { buildArguments: { BUILDKIT_SBOM_SCAN_CONTEXT: '1' } }).scanned.keys()],
    ['a'],
  );
});

test('planBuild() outlines what a target can be given', () => {
  const { outline } = plan([
    ...[
      '# V is the version',
      'ARG V=1',
      'ARG W=$V',
      'FROM scratch AS a',
      'ARG W',
      '# T for fetching',
      'ARG T',
    ],
    ...['RUN --mount=type=secret,id=s,required --mount=type=ssh x', '# last is it', 'FROM a AS last'],
  ]);
  assert.deepEqual(
    outline.arguments.map(({ name, value, description, location }) => [
      name,
      value,
      description,
      location.firstLine,
    ]),
    [
      ['V', '1', 'is the version', 2],
      ['W', '1', '', 3],
      ['T', '', 'for fetching', 7],
    ],
  );
  assert.deepEqual([outline.name, outline.description], ['last', 'is it']);
  assert.deepEqual(
    outline.secrets.map(({ name, required }) => [name, required]),
    [['s', true]],
  );
  assert.deepEqual(
    outline.ssh.map(({ name }) => name),
    ['default'],
  );
});

test('findGitSource() tells repositories from paths and files', () => {
  const plain = { subdir: '', checksum: '', keepGitDir: undefined, submodules: undefined, looksLocal: false };
  const cases = {
    'https://h.example/a.git#main:sub/dir': {
      ...plain,
      remote: 'https://h.example/a.git',
      ref: 'main',
      subdir: 'sub/dir',
    },
    'git@h.example:a/b.git': { ...plain, remote: 'git@h.example:a/b.git', ref: '' },
    'https://h.example/a.git?tag=v1&keep-git-dir&commit=abc': {
      ...plain,
      remote: 'https://h.example/a.git',
      ref: 'refs/tags/v1',
      checksum: 'abc',
      keepGitDir: true,
    },
    'https://h.example/a.tar.gz': undefined,
    './a.git': undefined,
    'a/b': undefined,
  };
  for (const [text, source] of Object.entries(cases)) assert.deepEqual(findGitSource(text), source, text);
  assert(findGitSource('github.com/a/b')?.looksLocal);
  assert(isHttpSource('https://h.example/a.tar.gz'));
  assert(!isHttpSource('https://h.example/a.git'));
});

test('parseNamedContext() and findNamedContext() read what stands for a name', () => {
  assert.deepEqual(parseNamedContext('a', 'docker-image://alpine'), {
    kind: 'image',
    reference: 'docker.io/library/alpine:latest',
  });
  assert.deepEqual(parseNamedContext('a', 'docker-image://scratch'), { kind: 'scratch' });
  assert.deepEqual(parseNamedContext('a', 'http://h.example/x'), { kind: 'http', url: 'http://h.example/x' });
  assert.equal(parseNamedContext('a', 'https://h.example/x.git').kind, 'git');
  assert.deepEqual(parseNamedContext('a', 'input:other'), { kind: 'input', name: 'other' });
  assert.throws(() => parseNamedContext('a', 'nothing'), /invalid context specifier nothing for a/);
  const contexts = { busybox: 'local:any', 'busybox::linux/arm64': 'local:arm' };
  const find = (name: string, architecture: string) =>
    findNamedContext(contexts, name, { os: 'linux', architecture });
  assert.deepEqual(find('docker.io/library/busybox:latest', 'amd64'), { kind: 'local', name: 'any' });
  assert.deepEqual(find('busybox', 'arm64'), { kind: 'local', name: 'arm' });
  assert.equal(find('other', 'arm64'), undefined);
});
