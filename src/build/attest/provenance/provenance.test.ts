import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { digestOf, parseDigest, type Descriptor, type ImageConfig } from '#oci';
import { planBuild } from '../../graph/plan-build.ts';
import type { BuildPlan, PlanOptions, ResolvedImage } from '../../graph/plan-options.ts';
import type { Material } from '../material.ts';
import type { ProvenanceFacts } from './facts.ts';
import { provenanceOf } from './provenance.ts';
import { reachedFrom } from './reached.ts';

const golden = new URL('../../../../test/golden/provenance/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, golden), 'utf8');
const amd64 = { os: 'linux', architecture: 'amd64' };
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const base: ImageConfig = {
  ...amd64,
  config: { Env: [path] },
  rootfs: { type: 'layers', diff_ids: [digestOf(Buffer.from('base'))] },
};

function planOf(dockerfile: string, options: PlanOptions = {}): BuildPlan {
  const images = new Map<string, ResolvedImage>();
  for (;;) {
    const result = planBuild(dockerfile, { buildPlatforms: [amd64], ...options }, images);
    if (result.kind === 'failed') throw result.error;
    if (result.kind === 'plan') return result;
    for (const { key } of result.images) images.set(key, { digest: '', config: base });
  }
}

const materials: readonly Material[] = [
  {
    kind: 'http',
    uri: 'http://127.0.0.1:8099/file.txt',
    digest: parseDigest('sha256:6667b2d1aab6a00caa5aee5af8ad9f1465e567abf1c209d15727d57b3e8f6e5f'),
  },
  {
    kind: 'git',
    uri: 'http://127.0.0.1:8099/repo.git#main',
    commit: '3073bba4ec084d75b33f2d87e7f2eb8b4295ea49',
  },
  {
    kind: 'image',
    reference: 'docker.io/library/busybox:latest',
    platform: amd64,
    digest: parseDigest('sha256:f57fe31c53bf39968eeb6d6ebbd22d9e5e86b36b28f965a1f500b20f8de13dc7'),
  },
];

/** What the recorded builds were asked for. */
const asked = {
  ...{ filename: 'Dockerfile', 'image-resolve-mode': 'local', 'build-arg:FOO': '5', 'label:a': 'b' },
  ...{ 'context:named': 'local:named', 'frontend.caps': 'moby.buildkit.frontend.contexts+forward' },
  ...{
    'vcs:source': 'https://example.com/o/r.git',
    'vcs:revision': '617d47d9e5ff8a34e09cb515aeacce288d3f94c1',
  },
  ...{ 'vcs:localdir:context': '.', 'vcs:localdir:dockerfile': '.', 'attest:provenance': 'mode=max' },
};

const factsOf = (
  plan: BuildPlan,
  text: string,
  options: Readonly<Record<string, string>>,
): ProvenanceFacts => ({
  invocation: {
    ...{ options, id: 'id', startedAt: '2026-11-22T10:00:00Z' },
    dockerfile: { name: 'Dockerfile', text },
  },
  ...{ finishedAt: '2026-11-22T10:00:01Z', builderPlatform: amd64, plan, materials, layers: new Map() },
});

const plain = { builderId: '', isReproducible: false, isInlineOnly: false, fileName: 'provenance.json' };

type Json = Record<string, unknown>;

/** The value at a path of names; undefined where there is none. */
const at = (value: unknown, ...names: string[]): unknown =>
  names.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? (inner as Json)[name] : undefined),
    value,
  );

/** Without what is another one each time, or ours: ids, times, digests of steps. */
function comparable(value: unknown): unknown {
  // A place of which nothing is known: where an image is used without a FROM of its own.
  if (Array.isArray(value)) return value.map(comparable).filter((item) => JSON.stringify(item) !== '{}');
  if (typeof value !== 'object' || value === null) return value;
  const different = /^(?:build)?(?:invocationI[dD]|InvocationID|[sS]tartedOn|[fF]inishedOn)$/;
  const kept = Object.entries(value).filter(([name]) => !different.test(name));
  return Object.fromEntries(
    kept.map(([name, inner]) => [
      name,
      name === 'digestMapping' ? Object.values(inner as object).toSorted() : comparable(inner),
    ]),
  );
}

for (const version of ['v0.2', 'v1'] as const) {
  for (const mode of ['min', 'max'] as const) {
    test(`provenanceOf() says in mode ${mode} of ${version} what BuildKit says`, () => {
      const text = read('Dockerfile');
      const recorded: unknown = JSON.parse(read(`${mode}-${version}.json`));
      const plan = planOf(text, {
        ...{ buildArguments: { FOO: '5' }, labels: { a: 'b' }, contexts: { named: 'local:named' } },
      });
      // BuildKit reads the whole context where a cache or tmpfs is mounted; here only what is copied is read.
      const localPaths = new Map([...plan.localPaths, ['context', undefined] as const]);
      const metadata =
        at(recorded, 'metadata', 'https://mobyproject.org/buildkit@v1#metadata') ??
        at(recorded, 'runDetails', 'metadata', 'buildkit_metadata');
      const layers = new Map(
        [...reachedFrom(plan.graph, plan.result).keys()].flatMap((id, index) => {
          const stacks = at(metadata, 'layers', `step${index}:0`);
          return Array.isArray(stacks) ? [[id, stacks[0] as Descriptor[]] as const] : [];
        }),
      );
      const facts = { ...factsOf({ ...plan, localPaths }, text, asked), layers };
      const { predicateType, predicate } = provenanceOf(facts, { ...plain, mode, version });
      assert.equal(predicateType, `https://slsa.dev/provenance/${version}`);
      assert.deepEqual(comparable(predicate), comparable(recorded));
    });
  }
}

test('provenanceOf() tells that nothing is open where a repository is built without the network', () => {
  const text = 'FROM busybox\nCOPY r /r\n';
  const plan = planOf(text, { contexts: {} });
  const remote = { context: 'http://u:p@127.0.0.1:8099/repo.git#main', filename: 'Dockerfile' };
  const uri = 'http://xxxxx:xxxxx@127.0.0.1:8099/repo.git#main';
  const [, git] = materials;
  assert.equal(git?.kind, 'git');
  const facts = {
    ...factsOf({ ...plan, graph: withoutLocals(plan) }, text, remote),
    materials: [{ ...git, uri }],
  };
  const { predicate } = provenanceOf(facts, { ...plain, mode: 'min', version: 'v0.2' });
  assert.deepEqual(at(predicate, 'invocation', 'configSource'), {
    uri,
    digest: { sha1: '3073bba4ec084d75b33f2d87e7f2eb8b4295ea49' },
    entryPoint: 'Dockerfile',
  });
  assert.deepEqual(at(predicate, 'invocation', 'parameters'), { frontend: 'dockerfile.v0' });
  assert.deepEqual(at(predicate, 'metadata', 'completeness'), {
    ...{ parameters: true, environment: true, materials: true },
  });
  assert.equal(at(predicate, 'metadata', 'https://mobyproject.org/buildkit@v1#hermetic'), true);
});

/** The build context as it is where it comes from a repository. */
function withoutLocals({ graph }: BuildPlan): BuildPlan['graph'] {
  const git = { kind: 'git' as const, remote: '', ref: '', subdir: '', checksum: '' };
  const vertices = [...graph.vertices].map(
    ([id, vertex]) =>
      [id, vertex.kind === 'local' ? { ...git, keepGitDir: false, submodules: true } : vertex] as const,
  );
  return { ...graph, vertices: new Map(vertices) };
}
