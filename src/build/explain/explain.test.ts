import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planWithTestImages } from '../../../test/builds/plan-case.ts';
import { Checks } from '../checks/checks.ts';
import { readDockerfile } from '../dockerfile/parse-dockerfile.ts';
import { parseSyntax } from '../dockerfile/parse-syntax.ts';
import type { PlanOptions } from '../graph/plan-options.ts';
import type { VertexId } from '../graph/vertex.ts';
import { inputReason } from './input-reason.ts';
import { withoutSecrets, withoutSecretValues } from './secret-values.ts';
import { changeReason, counterpart, firstChangedLine, reasonText } from './change-reason.ts';
import type { RecordedStep } from './recorded-step.ts';
import { orderHints } from './order-hints.ts';

function recorded(text: string, options: PlanOptions = {}): RecordedStep[] {
  const plan = planWithTestImages(text, options);
  assert(plan.kind === 'plan');
  return [...plan.graph.vertices].map(([id, vertex]) => ({
    ...{ id, vertex, step: plan.graph.steps.get(id)! },
  }));
}

/** The reasons of all steps of the second build that the first did not have. */
function reasons(before: readonly RecordedStep[], after: readonly RecordedStep[]): string[] {
  const known = new Set(before.map(({ vertex }) => JSON.stringify(vertex)));
  return after.flatMap((one, index) => {
    if (known.has(JSON.stringify(one.vertex)) && !one.step.ignoreCache) return [];
    return [`${one.step.instruction}: ${reasonText(changeReason(counterpart(before, after, index), one))}`];
  });
}

test('changeReason() names the build argument that changed, and what follows from it', () => {
  const text = 'FROM busybox\nARG X=1\nRUN first\nRUN second\nCOPY a b\n';
  assert.deepEqual(reasons(recorded(text), recorded(text, { buildArguments: { X: '2' } })), [
    'RUN first: its build argument X changed ("1" → "2")',
    'RUN second: its build argument X changed ("1" → "2")',
    'COPY a b: a step that it builds on changed',
  ]);
});

test('changeReason() does not tell the values of secrets', () => {
  const text = 'FROM busybox\nARG NPM_TOKEN\nRUN first\n';
  const [before, after] = ['eins', 'zwei'].map((value) =>
    recorded(text, { buildArguments: { NPM_TOKEN: value } }),
  );
  assert.deepEqual(reasons(before!, after!), ['RUN first: its build argument NPM_TOKEN changed']);
  const [, run] = after!;
  assert(run);
  assert.doesNotMatch(JSON.stringify(withoutSecretValues(run.vertex)), /zwei/);
  assert.doesNotMatch(JSON.stringify(withoutSecrets(run.step.buildArguments)), /zwei/);
});

test('changeReason() tells variables, settings, instructions and new steps apart', () => {
  const before = recorded('FROM busybox\nRUN a\nRUN b\nRUN c\nRUN d\n');
  assert.deepEqual(reasons(before, recorded('FROM busybox\nENV v=1\nRUN a\nRUN b\n')).slice(0, 1), [
    'RUN a: the variable v changed (not set → "1")',
  ]);
  assert.deepEqual(reasons(before, recorded('FROM busybox\nUSER me\nRUN a\n')), ['RUN a: its user changed']);
  assert.deepEqual(reasons(before, recorded('FROM busybox\nRUN a\nRUN x\nRUN c\n')), [
    'RUN x: the instruction changed (before: RUN b)',
    'RUN c: a step that it builds on changed',
  ]);
  const longer = 'FROM busybox\nRUN a\nRUN b\nRUN c\nRUN d\nRUN e\n';
  assert.deepEqual(reasons(before, recorded(longer)), ['RUN e: it was not built before']);
  assert.deepEqual(reasons(before, recorded('FROM busybox\nRUN a\n', { noCache: 'all' })), [
    'RUN a: its cache is not used, as asked',
  ]);
});

test('changeReason() tells files, inputs and lost results apart where the step is the same', () => {
  const [copy] = recorded('FROM scratch\nCOPY a b\n').slice(-1);
  const made = (files: Record<string, string>, inputs: Record<string, string> = {}): RecordedStep => ({
    ...copy!,
    facts: { key: '', files, inputs },
  });
  const text = (before: RecordedStep, after: RecordedStep): string => reasonText(changeReason(before, after));
  const one = made({ b: 'c1 644' });
  assert.equal(text(one, made({ b: 'c2 644' })), 'content changed');
  assert.equal(text(one, made({ b: 'c1 755' })), 'mode or owner of its file changed');
  assert.equal(text(one, made({ b: 'c1 644', c: 'c3 644' })), 'c is new');
  assert.equal(
    text(made({ a: '1', b: '1', c: '1', d: '1' }), made({})),
    'a is gone, b is gone, c is gone, 1 more',
  );
  assert.equal(text(one, one), 'its earlier result is not in the cache any more');
  assert.equal(text(made({}, { x: '1' }), made({}, { x: '2' })), 'a step that it builds on changed');
  assert.equal(text(copy!, one), 'it was not built before');
});

test('inputReason() names the base image', () => {
  const before = recorded('FROM busybox\nRUN a\n');
  const after = recorded('FROM debian\nRUN a\n');
  const find = (steps: readonly RecordedStep[]) => (id: VertexId) =>
    steps.find((step) => step.id === id)?.vertex;
  const reasonOf = (old: readonly RecordedStep[], now: readonly RecordedStep[], step: RecordedStep): string =>
    reasonText(inputReason(old.at(-1)!, step, { before: find(old), after: find(now) }));
  assert.equal(
    reasonOf(before, after, after.at(-1)!),
    'the base image changed (busybox:latest → debian:latest)',
  );
  const based = (identity: string): RecordedStep => ({
    ...before.at(-1)!,
    facts: { key: '', files: {}, inputs: { [before[0]!.id]: identity } },
  });
  assert.equal(
    reasonOf([before[0]!, based('1')], before, based('2')),
    'the base image busybox:latest was updated',
  );
});

test('firstChangedLine() shows where two texts part', () => {
  assert.equal(firstChangedLine('a\nb\n', 'a\nb\n'), undefined);
  assert.equal(
    firstChangedLine('{\n  "version": "1"\n}', '{\n  "version": "2"\n}'),
    'line 2: "version": "2"',
  );
  assert.equal(firstChangedLine('a\nb', 'a'), 'line 1: what followed is gone');
});

test('orderHints() finds the copy of everything before dependencies are installed', () => {
  const hints = (text: string): string[] =>
    orderHints(readDockerfile(parseSyntax(text), new Checks())).map(
      ({ message, location }) => `${location.firstLine} ${message.split(':')[0] ?? ''}`,
    );
  assert.deepEqual(hints('FROM a\nCOPY . .\nRUN npm ci\n'), ['2 COPY . . before npm']);
  assert.deepEqual(hints('FROM a\nADD ./ /x\nRUN cd x && pip install --no-cache-dir -r r.txt\n'), [
    '2 ADD ./ /x before pip',
  ]);
  assert.deepEqual(hints('FROM a\nCOPY . /x\nRUN <<EOF\ngo mod download\nEOF\n'), [
    '2 COPY . /x before go mod download',
  ]);
  assert.deepEqual(hints('FROM a\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n'), []);
  assert.deepEqual(hints('FROM a\nCOPY --from=b . .\nRUN npm ci\n'), []);
});
