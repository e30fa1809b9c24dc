import { messageOf, SingleFlight } from '#kernel';
import { isDigest, mediaTypes, type Digest } from '#oci';
import { createRegistryClient, type FetchedManifest, type Repository } from '#registry/client';
import { json, type Answer, type Call } from '../answer.ts';
import { digestFrom } from '../blobs.ts';
import { readManifestDocument } from '../manifest-document.ts';
import { page, pageOf } from '../pages.ts';
import { unsupported } from '../registry-error.ts';
import type { Target } from '../request-target.ts';
import { BlobCopies } from './blob-copies.ts';
import type { Copy, PullThroughParts } from './copy.ts';
import { isRefusal, upstreamError } from './upstream-failure.ts';
import { evict, type CacheBudget } from './cache-eviction.ts';
import type { ProxySettings } from './proxy-file.ts';
import { Upstreams } from './upstreams.ts';

/** Tags whose last check is remembered. */
const remembered = 100_000;

/**
 * Repositories that are copies of an upstream's, filled by what is pulled. Content by digest is fetched once; a tag is
 * asked for again when its time is over, and where the upstream does not answer it is taken to stand where it stood.
 */
export class PullThrough implements AsyncDisposable {
  readonly #parts: PullThroughParts;
  readonly #budget: CacheBudget;
  readonly #upstreams: Upstreams;
  readonly #blobs: BlobCopies;
  readonly #flights = new SingleFlight<unknown>();
  /** Nanoseconds since the epoch, by `repository:tag`; the oldest stand first. */
  readonly #checked = new Map<string, bigint>();
  readonly #end = new AbortController();

  constructor(parts: PullThroughParts, { upstreams, budget }: ProxySettings) {
    this.#parts = parts;
    this.#budget = budget;
    this.#upstreams = new Upstreams(upstreams, parts.client, parts.clock);
    this.#blobs = new BlobCopies(parts);
  }

  /** Keeps to the budget. */
  evict(): void {
    const { store, clock, logger } = this.#parts;
    const isCopy = (repository: string): boolean => this.#upstreams.find(repository) !== undefined;
    const manifests = evict(store.database, isCopy, this.#budget, clock.now());
    if (manifests > 0) logger.info({ manifests }, 'copies that were not asked for have gone');
  }

  /** The answer to a request; `local` gives what is here, as for any repository. */
  async answer(call: Call, target: Target, local: () => Promise<Answer>): Promise<Answer> {
    const upstream = 'repository' in target ? this.#upstreams.find(target.repository) : undefined;
    // What is deleted is fetched again when it is asked for.
    if (!upstream || !('repository' in target) || call.method === 'DELETE') return await local();
    const { repository } = target;
    if (call.method !== 'GET' && call.method !== 'HEAD') {
      throw unsupported(`${repository} is a copy of ${upstream.registry}: push there`);
    }
    try {
      const copy = { repository, upstream, remote: upstream.repository(repository) };
      return await this.#pull(call, target, copy, local);
    } catch (error) {
      throw upstreamError(error, upstream.registry);
    }
  }

  async #pull(call: Call, target: Target, copy: Copy, local: () => Promise<Answer>): Promise<Answer> {
    switch (target.kind) {
      case 'manifest': {
        const { reference } = target;
        if (reference.includes(':')) await this.#digest(copy, digestFrom(reference));
        else if (!(await this.#tag(copy, reference))) return this.#stale(copy, await local());
        return await local();
      }
      case 'blob':
        return await this.#blobs.answer(call, copy, digestFrom(target.digest), local);
      case 'tags':
        return await this.#orStale(copy, local, () => this.#tags(call, copy));
      case 'referrers':
        return await this.#orStale(copy, local, () => this.#referrers(call, copy, digestFrom(target.digest)));
      default:
        return await local();
    }
  }

  async #digest(copy: Copy, digest: Digest): Promise<void> {
    if (this.#parts.store.manifest(copy.repository, digest)) return;
    await this.#flights.run(`${copy.repository}@${digest}`, async (signal) =>
      this.#keep(copy.repository, await copy.remote.fetchManifest(digest, { signal }), []),
    );
  }

  /** Brings a tag up to date. False: the upstream does not answer, and the tag is where it was. */
  async #tag(copy: Copy, tag: string): Promise<boolean> {
    const { repository, upstream } = copy;
    const { store, clock } = this.#parts;
    const there = store.manifest(repository, tag);
    const name = `${repository}:${tag}`;
    const checked = this.#checked.get(name) ?? 0n;
    if (there && clock.now() - checked < BigInt(upstream.rule.ttl) * 1_000_000n) return true;
    if (there && upstream.isSilent) return false;
    try {
      await this.#flights.run(name, (signal) => this.#check(copy, tag, there?.digest, signal));
      upstream.answered();
      return true;
    } catch (error) {
      if (isRefusal(error)) {
        if (there && error.kind === 'notFound') this.#forget(repository, tag);
        throw error;
      }
      upstream.failed();
      if (!there) throw error;
      const { logger } = this.#parts;
      logger.warn({ repository, tag, error: messageOf(error) }, 'upstream does not answer: a copy is served');
      return false;
    }
  }

  async #check(copy: Copy, tag: string, known: Digest | undefined, signal: AbortSignal): Promise<void> {
    const { repository, remote } = copy;
    const isUnmoved = known !== undefined && (await remote.resolve(tag, { signal })).digest === known;
    if (!isUnmoved) await this.#keep(repository, await remote.fetchManifest(tag, { signal }), [tag]);
    const name = `${repository}:${tag}`;
    this.#checked.delete(name);
    this.#checked.set(name, this.#parts.clock.now());
    const [oldest] = this.#checked.keys();
    if (this.#checked.size > remembered && oldest !== undefined) this.#checked.delete(oldest);
  }

  async #keep(repository: string, fetched: FetchedManifest, tags: readonly string[]): Promise<void> {
    const { content, store, digests } = this.#parts;
    const { bytes, descriptor } = fetched;
    const manifest = readManifestDocument(bytes, descriptor.mediaType, descriptor.digest);
    await using _lock = await digests.acquire(descriptor.digest);
    await content.put(bytes, descriptor.digest);
    store.putManifest(repository, { ...manifest, isSparse: true }, tags);
  }

  #forget(repository: string, tag: string): void {
    this.#checked.delete(`${repository}:${tag}`);
    if (this.#parts.store.manifest(repository, tag)) this.#parts.store.removeManifest(repository, tag);
  }

  async #orStale(copy: Copy, local: () => Promise<Answer>, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await ask();
      copy.upstream.answered();
      return answer;
    } catch (error) {
      if (isRefusal(error)) throw error;
      copy.upstream.failed();
      const here = await local().catch(() => undefined);
      if (!here) throw error;
      return this.#stale(copy, here);
    }
  }

  #stale({ upstream }: Copy, answer: Answer): Answer {
    // RFC 7234, section 5.5.1: a number, an agent and a text.
    const warning = `110 wharf "${upstream.registry} does not answer: this is its copy"`;
    return { ...answer, headers: { ...answer.headers, Warning: warning } };
  }

  async #tags(call: Call, { repository, remote }: Copy): Promise<Answer> {
    const { limit, last } = pageOf(call);
    const tags = (await remote.listTags({ signal: this.#end.signal })).toSorted(inOrder);
    const found = tags.filter((tag) => last === '' || inOrder(tag, last) > 0).slice(0, limit + 1);
    return page(`/v2/${repository}/tags/list`, limit, found, (names) => ({ name: repository, tags: names }));
  }

  /** From the upstream's list, or where it has none from the tag that stands for one ("Referrers Tag Schema"). */
  async #referrers(call: Call, { remote }: Copy, subject: Digest): Promise<Answer> {
    const { signal } = this.#end;
    const listed =
      (await remote.listReferrers(subject, { signal })) ?? (await fromTag(remote, subject, signal));
    const type = call.query.get('artifactType');
    const manifests = type === null ? listed : listed.filter((each) => each['artifactType'] === type);
    return json(
      { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
      {
        'Content-Type': mediaTypes.ociIndex,
        ...(type !== null && { 'OCI-Filters-Applied': 'artifactType' }),
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('the registry ends'));
    await this.#blobs[Symbol.asyncDispose]();
    await this.#parts.client[Symbol.asyncDispose]();
  }
}

/** The order of a registry's own lists. */
function inOrder(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  if (a !== b) return a < b ? -1 : 1;
  return one < other ? -1 : Number(one > other);
}

async function fromTag(
  remote: Repository,
  subject: Digest,
  signal: AbortSignal,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  try {
    const { bytes } = await remote.fetchManifest(subject.replace(':', '-').slice(0, 128), { signal });
    const { manifests } = JSON.parse(Buffer.from(bytes).toString()) as { manifests?: unknown };
    return Array.isArray(manifests) ? manifests.filter(isDescriptor) : [];
  } catch (error) {
    if (isRefusal(error)) return [];
    throw error;
  }
}

const isDescriptor = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && 'digest' in value && isDigest(String(value.digest));

/** Little of it: who asks waits too, and may have a copy instead. */
const patience = { connectTimeout: 5000, attempts: 2, firstDelay: 200, longestDelay: 2000 };

export function openPullThrough(
  parts: Omit<PullThroughParts, 'client'>,
  settings: ProxySettings,
): PullThrough {
  const client = createRegistryClient({
    mirrors: [],
    insecureRegistries: settings.insecure,
    userAgent: 'wharf-registry',
    patience,
  });
  return new PullThrough({ ...parts, client }, settings);
}
