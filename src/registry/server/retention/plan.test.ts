import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf, type Digest } from '#oci';
import { planRetention, type ManifestState, type RetentionPlan, type TagState } from './plan.ts';
import type { RetentionRule } from './rules.ts';

const day = 86_400_000;
const now = 1_000n * BigInt(day) * 1_000_000n;
const ago = (days: number): bigint => now - BigInt(days * day) * 1_000_000n;
const d = (name: string): Digest => digestOf(name);

const tag = (name: string, days: number, digest = d(name), pulledDays?: number): TagState => ({
  name,
  digest,
  pushedAt: ago(days),
  pulledAt: pulledDays === undefined ? undefined : ago(pulledDays),
});

const manifest = (days: number, more: Partial<ManifestState> = {}): ManifestState => ({
  pushedAt: ago(days),
  subject: undefined,
  references: [],
  ...more,
});

const rule = (keep: RetentionRule['keep'], more: Partial<RetentionRule> = {}): RetentionRule => ({
  repositories: ['**'],
  tags: ['*'],
  keep,
  ...more,
});

function plan(
  tags: readonly TagState[],
  rules: readonly RetentionRule[],
  manifests: Readonly<Record<string, ManifestState>> = {},
  held: readonly string[] = [],
): RetentionPlan {
  const entries = new Map<Digest, ManifestState>(tags.map(({ digest }) => [digest, manifest(100)]));
  for (const [name, state] of Object.entries(manifests)) entries.set(d(name), state);
  return planRetention({ repository: 'team/app', tags, manifests: entries }, rules, {
    now,
    grace: 3_600_000_000_000n,
    held: (_repository, name) => (held.includes(name) ? 'protected' : undefined),
  });
}

const gone = ({ tags }: RetentionPlan): readonly string[] =>
  tags.filter(({ kept }) => !kept).map(({ tag: name }) => name);
const removed = ({ manifests }: RetentionPlan): readonly Digest[] =>
  manifests.map(({ digest }) => digest).sort();

test('planRetention() keeps the newest, the young, the used and what fits, and says why', () => {
  const tags = [
    tag('e', 1),
    tag('d', 20),
    tag('c', 40),
    tag('b', 50, d('b'), 3),
    tag('v1', 400),
    tag('a', 400),
  ];
  const { tags: verdicts } = plan(tags, [
    rule({ last: 2, pushedWithin: 30 * day, pulledWithin: 7 * day, tags: ['v*'] }),
  ]);
  assert.deepEqual(
    verdicts.map(({ tag: name, kept, why }) => [name, kept, why]),
    [
      ['e', true, 'among the newest 2'],
      ['d', true, 'among the newest 2'],
      [
        'c',
        false,
        'older than the newest 2, pushed 1 month ago, more than 1 month, never pulled, fits none of v*',
      ],
      ['b', true, 'pulled 3 days ago, within 7 days'],
      ['v1', true, 'fits v*'],
      [
        'a',
        false,
        'older than the newest 2, pushed 1 year ago, more than 1 month, never pulled, fits none of v*',
      ],
    ],
  );
});

test('planRetention() asks the first rule that fits a repository and a tag, and leaves other tags alone', () => {
  const tags = [tag('pr-1', 9), tag('pr-2', 1), tag('main', 500), tag('old', 500)];
  assert.deepEqual(gone(plan(tags, [rule({ pushedWithin: 7 * day }, { tags: ['pr-*'] })])), ['pr-1']);
  assert.deepEqual(gone(plan(tags, [rule({ last: 0 }, { repositories: ['other/**'] })])), []);
  const both = [rule({ last: 9 }, { tags: ['pr-*', 'main'] }), rule({ last: 0 })];
  assert.deepEqual(gone(plan(tags, both)), ['old']);
  assert.deepEqual(gone(plan(tags, [rule({ last: 0 })], {}, ['main'])), ['pr-1', 'pr-2', 'old']);
});

test('planRetention() keeps manifests that another tag, an index or a subject keeps', () => {
  const shared = d('shared');
  const tags = [
    tag('one', 90, shared),
    tag('two', 1, shared),
    tag('child', 90),
    tag('all', 1),
    tag('sig', 90),
  ];
  const result = plan(tags, [rule({ pushedWithin: 30 * day })], {
    all: manifest(90, { references: [d('child'), d('other child')] }),
    child: manifest(90),
    'other child': manifest(90),
    sig: manifest(90, { subject: d('all') }),
    sbom: manifest(90, { subject: shared }),
  });
  assert.deepEqual(gone(result), ['one', 'child', 'sig']);
  assert.deepEqual(removed(result), []);
});

test('planRetention() removes an index with its children, referrers and their referrers', () => {
  const tags = [tag('all', 90), tag('kept', 1)];
  const result = plan(tags, [rule({ pushedWithin: 30 * day })], {
    all: manifest(90, { references: [d('child'), d('shared')] }),
    kept: manifest(1, { references: [d('shared')] }),
    child: manifest(90),
    shared: manifest(90),
    sbom: manifest(90, { subject: d('child') }),
    signature: manifest(90, { subject: d('sbom') }),
    'of shared': manifest(90, { subject: d('shared') }),
    'just pushed': manifest(0, { subject: d('all') }),
  });
  assert.deepEqual(removed(result), [d('all'), d('child'), d('sbom'), d('signature')].sort());
  assert.equal(
    result.manifests.find(({ digest }) => digest === d('sbom'))?.why,
    `its subject ${d('child')} goes`,
  );
});

test('planRetention() lets tags of signatures stay and go with what they sign', () => {
  const named = (name: string): string => d(name).replace(':', '-');
  const tags = [
    tag('old', 90),
    tag('new', 1),
    tag(`${named('old')}.sig`, 90),
    tag(`${named('new')}.sig`, 90),
    tag(named('nobody'), 90),
  ];
  const result = plan(tags, [rule({ last: 1 })]);
  assert.deepEqual(gone(result), ['old', `${named('old')}.sig`]);
  assert.deepEqual(removed(result), [d('old'), d(`${named('old')}.sig`)].sort());
});

test('planRetention() removes what has had no tag for long, where a rule says so', () => {
  const manifests = {
    loose: manifest(9),
    fresh: manifest(2),
    index: manifest(9, { references: [d('part')] }),
    part: manifest(9),
  };
  assert.deepEqual(removed(plan([], [rule({ last: 1 })], manifests)), []);
  assert.deepEqual(
    removed(plan([], [rule({ last: 1 }, { untagged: 7 * day })], manifests)),
    [d('loose'), d('index'), d('part')].sort(),
  );
  const tagged = plan([tag('index', 9)], [rule({ last: 1 }, { untagged: 7 * day })], manifests);
  assert.deepEqual(removed(tagged), [d('loose')]);
});

/** A repository of up to twelve manifests, of which later ones may refer to earlier ones. */
const repository = fc
  .array(
    fc.record({
      age: fc.integer({ min: 0, max: 60 }),
      needs: fc.array(fc.nat(11), { maxLength: 3 }),
      subject: fc.option(fc.nat(11), { nil: undefined }),
      tags: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 2 }),
    }),
    { maxLength: 12 },
  )
  .map((entries) => ({
    manifests: Object.fromEntries(
      entries.map(({ age, needs, subject }, index) => [
        `m${index}`,
        manifest(age, {
          references: needs.filter((other) => other < index).map((other) => d(`m${other}`)),
          subject: subject === undefined || subject >= index ? undefined : d(`m${subject}`),
        }),
      ]),
    ),
    tags: entries.flatMap(({ tags }, index) =>
      tags.map((age, number) => tag(`t${index}-${number}`, age, d(`m${index}`))),
    ),
  }));

test('planRetention() never takes what stays needs, whatever a repository looks like', () => {
  const rules = fc.record({ last: fc.nat(4), within: fc.nat(60), untagged: fc.option(fc.nat(60)) });
  fc.assert(
    fc.property(repository, rules, ({ manifests, tags }, { last, within, untagged }) => {
      const held = tags.filter((_, index) => index % 5 === 0).map(({ name }) => name);
      const keep = { last, pushedWithin: within * day };
      const more = untagged === null ? {} : { untagged: untagged * day };
      const result = plan(tags, [rule(keep, more)], manifests, held);
      const lost = new Set(removed(result));
      assert.equal(result.tags.length, tags.length);
      for (const { tag: name, digest, kept, why } of result.tags) {
        assert.ok(why.length > 0);
        if (held.includes(name)) assert.ok(kept, `${name} is protected`);
        if (kept) assert.ok(!lost.has(digest), `${name} stays and its manifest goes`);
      }
      for (const [name, { references, subject, pushedAt }] of Object.entries(manifests)) {
        if (lost.has(d(name))) {
          assert.ok(pushedAt < now, `${name} was pushed just now`);
          assert.ok(subject === undefined || lost.has(subject), `${name} goes and its subject stays`);
        } else {
          assert.ok(!references.some((digest) => lost.has(digest)), `${name} stays and what it needs goes`);
        }
      }
    }),
    { numRuns: 500 },
  );
});
