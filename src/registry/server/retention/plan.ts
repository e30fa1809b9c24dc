import type { Digest } from '#oci';
import { matches } from '../access.ts';
import { spanInWords } from '../configuration/units.ts';
import type { RetentionRule } from './rules.ts';

/** What a repository holds. Times are nanoseconds since the epoch. */
export interface RepositoryState {
  readonly repository: string;
  readonly tags: readonly TagState[];
  readonly manifests: ReadonlyMap<Digest, ManifestState>;
}

export interface TagState {
  readonly name: string;
  readonly digest: Digest;
  readonly pushedAt: bigint;
  readonly pulledAt: bigint | undefined;
}

export interface ManifestState {
  readonly pushedAt: bigint;
  readonly subject: Digest | undefined;
  /** Manifests that it needs to stay. */
  readonly references: readonly Digest[];
}

/** What becomes of a tag, and why. */
export interface TagVerdict {
  readonly tag: string;
  readonly digest: Digest;
  readonly kept: boolean;
  readonly why: string;
}

export interface ManifestVerdict {
  readonly digest: Digest;
  readonly why: string;
}

/** What the rules make of a repository. */
export interface RetentionPlan {
  readonly repository: string;
  readonly tags: readonly TagVerdict[];
  /** Manifests that go: with their last tag, with what they belonged to, or after a time without one. */
  readonly manifests: readonly ManifestVerdict[];
}

export interface PlanOptions {
  readonly now: bigint;
  /** Nanoseconds: what was pushed since is part of something that is under way, and stays. */
  readonly grace: bigint;
  /** Why a tag is not to be touched by any rule, if so. */
  readonly held: (repository: string, tag: string) => 'immutable' | 'protected' | undefined;
}

/** Tags that say what they belong to: distribution-spec "Referrers Tag Schema", and cosign's. */
const belonging = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\.\w+)?$/;

/** Pure: decides on every tag and manifest of a repository. */
export function planRetention(
  state: RepositoryState,
  rules: readonly RetentionRule[],
  options: PlanOptions,
): RetentionPlan {
  const { repository } = state;
  const ofRepository = rules.filter((rule) => rule.repositories.some(matches(repository)));
  const verdicts = new Map<string, TagVerdict>();
  const own = state.tags.filter(({ name, digest }) => {
    const held = options.held(repository, name);
    if (held) verdicts.set(name, { tag: name, digest, kept: true, why: held });
    return !belonging.test(name);
  });
  for (const rule of ofRepository) {
    const about = own.filter(({ name }) => isFirst(ofRepository, rule, name));
    for (const verdict of judge(rule, about, options.now)) {
      if (!verdicts.has(verdict.tag)) verdicts.set(verdict.tag, verdict);
    }
  }
  for (const { name, digest } of own) {
    if (!verdicts.has(name))
      verdicts.set(name, { tag: name, digest, kept: true, why: 'no rule is about it' });
  }
  const untagged = ofRepository.find((rule) => rule.untagged !== undefined)?.untagged;
  const manifests = new Departure(state, verdicts, options).run(untagged);
  return { repository, tags: state.tags.flatMap(({ name }) => verdicts.get(name) ?? []), manifests };
}

const isFirst = (rules: readonly RetentionRule[], rule: RetentionRule, tag: string): boolean =>
  rules.find(({ tags }) => tags.some(matches(tag))) === rule;

/** What one rule makes of the tags that it is about. */
function judge(rule: RetentionRule, about: readonly TagState[], now: bigint): readonly TagVerdict[] {
  const newest = about.toSorted((a, b) =>
    a.pushedAt === b.pushedAt ? a.name.localeCompare(b.name) : a.pushedAt < b.pushedAt ? 1 : -1,
  );
  return newest.map((tag, place) => {
    const { kept, gone } = reasons(rule.keep, tag, place, now);
    const why = kept[0] ?? gone.join(', ');
    return { tag: tag.name, digest: tag.digest, kept: kept.length > 0, why };
  });
}

/** For and against a tag; `place` counts the newer ones. */
function reasons(
  { last, pushedWithin, pulledWithin, tags }: RetentionRule['keep'],
  tag: TagState,
  place: number,
  now: bigint,
): { readonly kept: readonly string[]; readonly gone: readonly string[] } {
  const kept: string[] = [];
  const gone: string[] = [];
  const say = (keep: boolean, yes: string, no: string): void => {
    if (keep) kept.push(yes);
    else gone.push(no);
  };
  const age = milliseconds(now - tag.pushedAt);
  const pushed = `pushed ${spanInWords(age)} ago`;
  if (last !== undefined) say(place < last, `among the newest ${last}`, `older than the newest ${last}`);
  if (pushedWithin !== undefined) {
    const limit = spanInWords(pushedWithin);
    say(age <= pushedWithin, `${pushed}, within ${limit}`, `${pushed}, more than ${limit}`);
  }
  if (pulledWithin !== undefined) {
    const limit = spanInWords(pulledWithin);
    const since = tag.pulledAt === undefined ? undefined : milliseconds(now - tag.pulledAt);
    const pulled = since === undefined ? 'never pulled' : `pulled ${spanInWords(since)} ago`;
    const isRecent = since !== undefined && since <= pulledWithin;
    say(
      isRecent,
      `${pulled}, within ${limit}`,
      since === undefined ? pulled : `${pulled}, more than ${limit}`,
    );
  }
  if (tags !== undefined) {
    const fitting = tags.find((pattern) => matches(tag.name)(pattern));
    say(fitting !== undefined, `fits ${fitting ?? ''}`, `fits none of ${tags.join(', ')}`);
  }
  return { kept, gone };
}

const milliseconds = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000n);

/** Finds the manifests that leave with their tags, and the tags that leave with what they belong to. */
class Departure {
  readonly #state: RepositoryState;
  readonly #verdicts: Map<string, TagVerdict>;
  readonly #options: PlanOptions;
  readonly #gone = new Map<Digest, string>();
  /** Remaining tags by manifest, and remaining manifests by what they need. */
  readonly #tagsOf = new Map<Digest, number>();
  readonly #usersOf = new Map<Digest, number>();
  readonly #referrersOf = new Map<Digest, Digest[]>();
  readonly #followersOf = new Map<string, TagState[]>();
  readonly #candidates: [Digest, string][] = [];

  constructor(state: RepositoryState, verdicts: Map<string, TagVerdict>, options: PlanOptions) {
    this.#state = state;
    this.#verdicts = verdicts;
    this.#options = options;
    for (const [digest, { references, subject }] of state.manifests) {
      for (const needed of references) this.#usersOf.set(needed, (this.#usersOf.get(needed) ?? 0) + 1);
      if (subject) append(this.#referrersOf, subject, digest);
    }
    for (const tag of state.tags) {
      this.#tagsOf.set(tag.digest, (this.#tagsOf.get(tag.digest) ?? 0) + 1);
      const [, algorithm = '', hex] = belonging.exec(tag.name) ?? [];
      if (hex !== undefined) append(this.#followersOf, `${algorithm}:${hex}`, tag);
    }
  }

  /** `untagged`: milliseconds after which what nothing names goes. */
  run(untagged: number | undefined): readonly ManifestVerdict[] {
    for (const { name, digest } of this.#state.tags) {
      if (this.#verdicts.get(name)?.kept === false) this.#untag(digest, 'its last tag goes');
    }
    if (untagged !== undefined) {
      const before = this.#options.now - BigInt(untagged) * 1_000_000n;
      for (const [digest, { pushedAt }] of this.#state.manifests) {
        if (pushedAt < before) this.#candidates.push([digest, `without a tag for ${spanInWords(untagged)}`]);
      }
    }
    for (let next = this.#candidates.pop(); next; next = this.#candidates.pop()) this.#consider(...next);
    this.#keepFollowers();
    return [...this.#gone].map(([digest, why]) => ({ digest, why }));
  }

  #untag(digest: Digest, why: string): void {
    this.#tagsOf.set(digest, (this.#tagsOf.get(digest) ?? 0) - 1);
    this.#candidates.push([digest, why]);
  }

  #consider(digest: Digest, why: string): void {
    const manifest = this.#state.manifests.get(digest);
    if (!manifest || this.#gone.has(digest) || this.#isKept(digest, manifest)) return;
    this.#gone.set(digest, why);
    for (const needed of manifest.references) {
      this.#usersOf.set(needed, (this.#usersOf.get(needed) ?? 0) - 1);
      this.#candidates.push([needed, `its index ${digest} goes`]);
    }
    for (const referrer of this.#referrersOf.get(digest) ?? []) {
      this.#candidates.push([referrer, `its subject ${digest} goes`]);
    }
    for (const { name, digest: named } of this.#followersOf.get(digest) ?? []) {
      if (this.#verdicts.has(name)) continue;
      this.#verdicts.set(name, {
        tag: name,
        digest: named,
        kept: false,
        why: `belongs to ${digest}, which goes`,
      });
      this.#untag(named, 'its last tag goes');
    }
  }

  #isKept(digest: Digest, { subject, pushedAt }: ManifestState): boolean {
    const isNamed = (this.#tagsOf.get(digest) ?? 0) > 0 || (this.#usersOf.get(digest) ?? 0) > 0;
    const belongs = subject !== undefined && this.#state.manifests.has(subject) && !this.#gone.has(subject);
    return isNamed || belongs || pushedAt > this.#options.now - this.#options.grace;
  }

  #keepFollowers(): void {
    for (const { name, digest } of this.#state.tags) {
      if (this.#verdicts.has(name)) continue;
      const subject = name.replace('-', ':').replace(/\.\w+$/, '');
      this.#verdicts.set(name, { tag: name, digest, kept: true, why: `belongs to ${subject}` });
    }
  }
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
