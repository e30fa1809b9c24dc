import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { DefinitionSchema, InputSchema, OpSchema, type Definition } from '#buildkit';
import { tarHeader } from '#archive';
import type { SourceTree } from '../files/source-tree.ts';
import type { GitVertex, HttpVertex } from '../graph/vertex.ts';
import { resolveDefinition, resultDefinition, type DefinitionParts } from './definitions.ts';

const entry = (
  name: string,
  type: 'file' | 'folder' = 'file',
): [string, SourceTree extends ReadonlyMap<string, infer T> ? T : never] => [
  name,
  { header: tarHeader({ name, type }), from: undefined, digest: '' },
];
const tree: SourceTree = new Map([entry('', 'folder'), entry('d', 'folder'), entry('d/f'), entry('top')]);

/** Parts that note what is fetched. */
function parts(): { readonly fetched: (GitVertex | HttpVertex)[]; readonly parts: DefinitionParts } {
  const fetched: (GitVertex | HttpVertex)[] = [];
  const sources = {
    fetch: (vertex: GitVertex | HttpVertex) => {
      fetched.push(vertex);
      return Promise.resolve(tree);
    },
  };
  const { signal } = new AbortController();
  const given = {
    ...{ sources, contexts: {}, access: { secret: () => Promise.resolve(undefined) }, signal },
    result: (id: string) => Promise.resolve({ kind: 'files', source: new Map([entry(id)]) }),
    local: () => Promise.resolve(tree),
  };
  // Only what these graphs need is there.
  return { fetched, parts: given as unknown as DefinitionParts };
}

function graph(...ops: MessageInitShape<typeof OpSchema>[]): Definition {
  const def: Uint8Array[] = [];
  let digest = '';
  for (const op of [...ops, {}]) {
    const message = create(OpSchema, op);
    if (digest !== '') message.inputs.push(create(InputSchema, { digest }));
    const bytes = toBinary(OpSchema, message);
    digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    def.push(bytes);
  }
  return create(DefinitionSchema, { def });
}

const source = (
  identifier: string,
  attrs: Record<string, string> = {},
): MessageInitShape<typeof OpSchema> => ({
  op: { case: 'source', value: { identifier, attrs } },
});
const copy = (src: string, dest = '/'): MessageInitShape<typeof OpSchema> => {
  const action = { case: 'copy' as const, value: { src, dest, attemptUnpack: true } };
  return { op: { case: 'file', value: { actions: [{ input: -1n, secondaryInput: 0n, action }] } } };
};

test('resultDefinition() makes a graph that resolveDefinition() takes back to the result', async () => {
  const made = create(DefinitionSchema, resultDefinition('job/0', 'a name'));
  const [first, last] = made.def.map((bytes) => fromBinary(OpSchema, bytes));
  assert.equal(last?.inputs[0]?.digest, Object.keys(made.metadata)[0]);
  assert.equal(first?.op.case, 'source');
  const input = await resolveDefinition(made, parts().parts);
  assert.ok(input.kind === 'files' && input.source.has('job/0'));
});

test('resolveDefinition() fetches sources as they are described', async () => {
  const { fetched, parts: given } = parts();
  await resolveDefinition(
    graph(source('git://host/a#main:sub', { 'git.fullurl': 'https://host/a.git', 'git.keepgitdir': 'true' })),
    given,
  );
  await resolveDefinition(graph(source('https://host/x', { 'http.filename': 'name' })), given);
  assert.deepEqual(fetched, [
    {
      ...{ kind: 'git', remote: 'https://host/a.git', ref: 'main', subdir: 'sub', checksum: '' },
      ...{ keepGitDir: true, submodules: true },
    },
    { kind: 'http', url: 'https://host/x', fileName: 'name', checksum: '' },
  ]);
  assert.deepEqual(await resolveDefinition(create(DefinitionSchema), given), { kind: 'layers', layers: [] });
});

test('resolveDefinition() takes a folder out of a source, and refuses other operations by name', async () => {
  const { parts: given } = parts();
  const below = await resolveDefinition(graph(source('local://context'), copy('/d')), given);
  assert.ok(below.kind === 'files');
  assert.deepEqual([...below.source.keys()], ['', 'f']);
  await assert.rejects(resolveDefinition(graph({}), given), { kind: 'unimplemented' });
  await assert.rejects(resolveDefinition(graph(source('docker-image://x')), given), /docker-image/);
  await assert.rejects(
    resolveDefinition(graph(source('local://x'), copy('/d', '/in')), given),
    /into folders/,
  );
});
