import type { ContentStore } from '#content';
import type { KeyedLock } from '#kernel';
import { algorithmOf, digestOf, mediaTypes, type Digest } from '#oci';
import { json, lengthOf, type Answer, type Call } from './answer.ts';
import { digestFrom } from './blobs.ts';
import { readManifestDocument } from './manifest-document.ts';
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
  /** Whether a tag, once set, stays where it is. */
  isImmutable(repository: string, tag: string): boolean;
}

const largestManifest = 4 << 20;
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
        return this.#remove(repository, reference);
      default:
        throw unsupported(`${call.method} of a manifest`);
    }
  }

  async #read(call: Call, repository: string, reference: string): Promise<Answer> {
    const entry = this.#parts.store.manifest(repository, reference);
    if (!entry) throw manifestUnknown(reference);
    const headers = {
      'Docker-Content-Digest': entry.digest,
      ETag: `"${entry.digest}"`,
      'Content-Type': entry.mediaType,
      'Content-Length': entry.size,
    };
    if (call.request.headers['if-none-match'] === headers.ETag) return { status: 304, headers };
    return { status: 200, headers, body: await this.#parts.content.read(entry.digest) };
  }

  async #put(call: Call, repository: string, reference: string): Promise<Answer> {
    const { content, store, digests } = this.#parts;
    const bytes = await readBody(call);
    const asked = reference.includes(':') ? digestFrom(reference) : undefined;
    const tag = asked ? undefined : checkTag(reference);
    const digest = digestOf(bytes, asked && algorithmOf(asked));
    if (asked && asked !== digest) throw digestInvalid(`the manifest's digest is ${digest}, not ${asked}`);
    const manifest = readManifestDocument(bytes, call.request.headers['content-type'] ?? '', digest);
    await using _lock = await digests.acquire(digest);
    if (tag !== undefined) this.#mayMove(repository, tag, digest);
    await content.put(bytes, digest);
    store.putManifest(repository, manifest, tag);
    return {
      status: 201,
      headers: {
        Location: `/v2/${repository}/manifests/${digest}`,
        'Docker-Content-Digest': digest,
        'Content-Length': 0,
        ...(manifest.subject !== undefined && { 'OCI-Subject': manifest.subject }),
      },
    };
  }

  #mayMove(repository: string, tag: string, digest: Digest): void {
    const there = this.#parts.store.manifest(repository, tag);
    if (!there || there.digest === digest || !this.#parts.isImmutable(repository, tag)) return;
    throw denied(`tag ${tag} of ${repository} is immutable: push under another tag`);
  }

  #remove(repository: string, reference: string): Answer {
    const { store } = this.#parts;
    if (
      !reference.includes(':') &&
      this.#parts.isImmutable(repository, reference) &&
      store.manifest(repository, reference)
    ) {
      throw denied(`tag ${reference} of ${repository} is immutable`);
    }
    store.removeManifest(repository, reference);
    return { status: 202, headers: { 'Content-Length': 0 } };
  }

  referrers(call: Call, repository: string, subject: Digest): Answer {
    if (call.method !== 'GET' && call.method !== 'HEAD') throw unsupported(`${call.method} of referrers`);
    const type = call.query.get('artifactType');
    const found = this.#parts.store.referrers(repository, subject);
    const chosen = type === null ? found : found.filter((entry) => entry.artifactType === type);
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: chosen.map(descriptorOf) };
    return json(index, {
      'Content-Type': mediaTypes.ociIndex,
      ...(type !== null && { 'OCI-Filters-Applied': 'artifactType' }),
    });
  }
}

const descriptorOf = ({ mediaType, digest, size, artifactType, annotations }: ManifestEntry): object => ({
  mediaType,
  digest,
  size,
  ...(artifactType !== undefined && { artifactType }),
  ...(annotations && { annotations }),
});

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
