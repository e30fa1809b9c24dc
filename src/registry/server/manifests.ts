import type { ContentStore } from '#content';
import type { KeyedLock } from '#kernel';
import { algorithmOf, digestOf, mediaTypes, type Digest } from '#oci';
import { isUnchanged, json, lengthOf, type Answer, type Call } from './answer.ts';
import { digestFrom } from './blobs.ts';
import { readManifestDocument } from './manifest-document.ts';
import type { ManifestObserver } from './observer.ts';
import type { Quotas } from './quotas.ts';
import {
  denied,
  digestInvalid,
  manifestInvalid,
  manifestUnknown,
  RegistryError,
  unsupported,
} from './registry-error.ts';
import type { ManifestEntry, RegistryStore } from './registry-store.ts';

export interface ManifestParts {
  readonly content: ContentStore;
  readonly store: RegistryStore;
  readonly digests: KeyedLock;
  /** Whether manifests are taken although some of what they refer to is not there. */
  readonly sparse: boolean;
  readonly quotas: Quotas;
  readonly observer: ManifestObserver;
  /** Whether a tag, once set, stays where it is. */
  isImmutable(repository: string, tag: string): boolean;
}

const largestManifest = 4 << 20;
const mostTags = 100;
const tagName = /^\w[\w.-]{0,127}$/;

/** Manifests, and who refers to them (distribution-spec, "Pulling manifests", "Listing Referrers"). */
export class Manifests {
  readonly #parts: ManifestParts;

  constructor(parts: ManifestParts) {
    this.#parts = parts;
  }

  async manifest(call: Call, repository: string, reference: string): Promise<Answer> {
    if (reference.includes(':')) digestFrom(reference);
    switch (call.method) {
      case 'GET':
      case 'HEAD':
        return await this.#read(call, repository, reference);
      case 'PUT':
        return await this.#put(call, repository, reference);
      case 'DELETE':
        return this.remove(call, repository, reference);
      default:
        throw unsupported(`${call.method} of a manifest`);
    }
  }

  async #read(call: Call, repository: string, reference: string): Promise<Answer> {
    const entry = this.#parts.store.manifest(repository, reference);
    if (!entry) throw manifestUnknown(reference);
    this.#parts.observer.pulled(call, repository, entry, reference.includes(':') ? undefined : reference);
    const headers = {
      'Docker-Content-Digest': entry.digest,
      ETag: `"${entry.digest}"`,
      'Content-Type': entry.mediaType,
      'Content-Length': entry.size,
    };
    if (isUnchanged(call, headers.ETag)) return { status: 304, headers: { ETag: headers.ETag } };
    if (call.method === 'HEAD') return { status: 200, headers };
    return { status: 200, headers, body: await this.#parts.content.read(entry.digest) };
  }

  async #put(call: Call, repository: string, reference: string): Promise<Answer> {
    const { content, store, digests } = this.#parts;
    const bytes = await readBody(call);
    const asked = reference.includes(':') ? digestFrom(reference) : undefined;
    // A digest may bring its tags along ("Pushing Manifests", the tag parameter).
    const tags = (asked ? [...new Set(call.query.getAll('tag'))] : [reference]).map(checkTag);
    if (tags.length > mostTags) throw manifestInvalid(`a push sets at most ${mostTags} tags`);
    const digest = digestOf(bytes, asked && algorithmOf(asked));
    if (asked && asked !== digest) throw digestInvalid(`the manifest's digest is ${digest}, not ${asked}`);
    const manifest = readManifestDocument(bytes, call.request.headers['content-type'] ?? '', digest);
    await using _lock = await digests.acquire(digest);
    for (const tag of tags) this.#mayMove(repository, tag, digest);
    await content.put(bytes, digest);
    this.#parts.quotas.admit(repository, () =>
      store.transaction(() => {
        store.putManifest(repository, { ...manifest, isSparse: this.#parts.sparse }, tags);
        this.#parts.observer.pushed(call, repository, manifest, tags);
      }),
    );
    return {
      status: 201,
      headers: {
        Location: `/v2/${repository}/manifests/${digest}`,
        'Docker-Content-Digest': digest,
        'Content-Length': 0,
        ...(manifest.subject !== undefined && { 'OCI-Subject': manifest.subject }),
        ...(asked && tags.length > 0 && { 'OCI-Tag': tags.join(', ') }),
      },
    };
  }

  #mayMove(repository: string, tag: string, digest: Digest): void {
    const there = this.#parts.store.manifest(repository, tag);
    if (!there || there.digest === digest || !this.#parts.isImmutable(repository, tag)) return;
    throw denied(`tag ${tag} of ${repository} is immutable: push under another tag`);
  }

  /** A tag goes alone, a digest with its tags. Throws MANIFEST_UNKNOWN, and DENIED where a tag is to stay. */
  remove(call: Call, repository: string, reference: string): Answer {
    const { store, observer } = this.#parts;
    const entry = store.manifest(repository, reference);
    if (!entry) throw manifestUnknown(reference);
    const isTag = !reference.includes(':');
    const tags = isTag ? [reference] : store.tagsOf(repository, entry.digest);
    const fixed = tags.find((tag) => this.#parts.isImmutable(repository, tag));
    if (fixed !== undefined) throw denied(`tag ${fixed} of ${repository} is immutable`);
    store.transaction(() => {
      store.removeManifest(repository, reference);
      observer.deleted(call, repository, { ...(!isTag && { digest: entry.digest }), tags });
    });
    return { status: 202, headers: { 'Content-Length': 0 } };
  }

  referrers(call: Call, repository: string, subject: Digest): Answer {
    if (call.method !== 'GET' && call.method !== 'HEAD') throw unsupported(`${call.method} of referrers`);
    const type = call.query.get('artifactType');
    const found = this.#parts.store.referrers(repository, subject);
    const chosen = type === null ? found : found.filter((entry) => entry.artifactType === type);
    // An unknown `last` (a referrer deleted meanwhile) begins again: better twice than not at all.
    const from = chosen.findIndex(({ digest }) => digest === call.query.get('last')) + 1;
    const manifests = firstThatFit(chosen.slice(from).map(descriptorOf));
    const last = from + manifests.length < chosen.length ? chosen[from + manifests.length - 1] : undefined;
    const next = new URLSearchParams({
      ...(type !== null && { artifactType: type }),
      last: last?.digest ?? '',
    });
    return json(
      { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
      {
        'Content-Type': mediaTypes.ociIndex,
        ...(type !== null && { 'OCI-Filters-Applied': 'artifactType' }),
        ...(last && { Link: `</v2/${repository}/referrers/${subject}?${next.toString()}>; rel="next"` }),
      },
    );
  }
}

const descriptorOf = ({ mediaType, digest, size, artifactType, annotations }: ManifestEntry): object => ({
  mediaType,
  digest,
  size,
  ...(artifactType !== undefined && { artifactType }),
  ...(annotations && { annotations }),
});

/** A list of referrers is a manifest, and as such bounded; at least one. */
function firstThatFit(descriptors: readonly object[]): readonly object[] {
  let size = 0;
  const end = descriptors.findIndex((descriptor, index) => {
    size += JSON.stringify(descriptor).length + 1;
    return index > 0 && size > largestManifest - 1024;
  });
  return end === -1 ? descriptors : descriptors.slice(0, end);
}

function checkTag(tag: string): string {
  if (!tagName.test(tag)) throw manifestInvalid(`invalid tag ${JSON.stringify(tag)}`);
  return tag;
}

async function readBody(call: Call): Promise<Uint8Array> {
  const tooLarge = (): RegistryError =>
    new RegistryError(413, 'MANIFEST_INVALID', `a manifest has at most ${largestManifest} bytes`);
  if ((lengthOf(call) ?? 0) > largestManifest) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of call.request as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > largestManifest) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
