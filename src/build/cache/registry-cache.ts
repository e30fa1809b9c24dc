import type { Readable } from 'node:stream';
import { invalidArgument, isKind } from '#kernel';
import { canonicalName, parseReference, withDefaultTag, type Descriptor, type Digest } from '#oci';
import type { RegistryAuth, RegistryClient, Repository } from '#registry/client';
import type { CacheRepository } from './cache-origin.ts';
import type { CacheSink } from './cache-export.ts';

interface Cancellable {
  readonly signal: AbortSignal;
}

/** A cache under a name in a registry. */
export class RegistryCache implements CacheRepository, CacheSink {
  readonly #registry: RegistryClient;
  readonly #name: string;
  readonly #reference: string;
  readonly #scope: 'pull' | 'push,pull';
  readonly #credentials: () => Promise<RegistryAuth | undefined>;
  #repository: Promise<Repository> | undefined;

  /** `ref`: as clients write it. Throws invalidArgument. */
  constructor(
    ref: string,
    parts: {
      readonly registry: RegistryClient;
      readonly scope: 'pull' | 'push,pull';
      readonly credentials: (name: string) => Promise<RegistryAuth | undefined>;
    },
  ) {
    if (ref === '') throw invalidArgument('missing ref');
    const reference = withDefaultTag(parseReference(ref));
    this.#registry = parts.registry;
    this.#name = canonicalName(reference);
    this.#reference = reference.digest ?? reference.tag ?? 'latest';
    this.#scope = parts.scope;
    this.#credentials = () => parts.credentials(ref);
  }

  async root(options: Cancellable): Promise<Uint8Array> {
    return (await (await this.#open()).fetchManifest(this.#reference, options)).bytes;
  }

  async manifest(digest: Digest, options: Cancellable): Promise<Uint8Array> {
    return (await (await this.#open()).fetchManifest(digest, options)).bytes;
  }

  async fetchBlob(
    blob: Descriptor,
    options: Cancellable & { readonly offset?: number; readonly direct?: boolean },
  ): Promise<Readable> {
    return (await this.#open()).fetchBlob(blob, options);
  }

  async has({ digest }: Descriptor, options: Cancellable): Promise<boolean> {
    try {
      return await (await this.#open()).hasBlob(digest, options);
    } catch (error) {
      // Some registries answer so for a repository that nothing was pushed to yet.
      if (isKind(error, 'notFound')) return false;
      throw error;
    }
  }

  async putBlob(
    blob: Descriptor,
    open: (offset: number) => Promise<Readable>,
    options: Cancellable,
  ): Promise<void> {
    await (await this.#open()).pushBlob(blob, open, options);
  }

  async putManifest(mediaType: string, bytes: Uint8Array, options: Cancellable): Promise<void> {
    await (await this.#open()).pushManifest(this.#reference, mediaType, bytes, options);
  }

  #open(): Promise<Repository> {
    this.#repository ??= this.#credentials().then((auth = {}) =>
      this.#registry.repository(this.#name, auth, this.#scope),
    );
    return this.#repository;
  }
}
