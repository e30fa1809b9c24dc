import type { Readable } from 'node:stream';
import {
  isDigest,
  parseDigest,
  parseReference,
  digestOf,
  algorithmOf,
  type Descriptor,
  type Digest,
  withTag,
} from '#oci';
import { downloadBlob, type OpenBlob } from './blob-download.ts';
import { mountBlob, uploadBlob, type UploadOptions } from './blob-upload.ts';
import { getManifest, headManifest, type ManifestOptions } from './manifest-fetch.ts';
import { getReferrers } from './referrers-fetch.ts';
import type { FetchedManifest, Repository } from './registry-client.ts';
import { pullFailure, RegistryFailure } from './registry-failure.ts';
import type { RetryOptions } from './retry.ts';
import type { Session } from './session.ts';
import { headerOf, readText } from './transport.ts';

type Cancellable = { readonly signal: AbortSignal };

const maxTagPages = 1000;
const maxTagPage = 4 << 20;

export interface RemoteRepositoryOptions {
  /** Canonical, `docker.io/library/busybox`. */
  readonly name: string;
  readonly actions: 'pull' | 'push,pull';
  /** Mirrors first, the registry itself last; at least one. */
  readonly sessions: () => Promise<readonly Session[]>;
  readonly retry: RetryOptions;
}

/** A repository over the distribution API. */
export class RemoteRepository implements Repository {
  readonly name: string;
  readonly #path: string;
  readonly #domain: string;
  readonly #scopes: readonly string[];
  readonly #options: RemoteRepositoryOptions;

  constructor(options: RemoteRepositoryOptions) {
    const { domain, path } = parseReference(options.name);
    this.name = options.name;
    this.#domain = domain;
    this.#path = path;
    this.#scopes = [`repository:${path}:${options.actions}`];
    this.#options = options;
  }

  /** The task's result from the first endpoint that gives one; the last failure otherwise. */
  async #fromAny<T>(signal: AbortSignal, task: (session: Session) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const session of await this.#options.sessions()) {
      try {
        return await session.retrying(signal, () => task(session));
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    throw failure;
  }

  /** The registry itself: mirrors take no pushes. */
  async #own(): Promise<Session> {
    const session = (await this.#options.sessions()).at(-1);
    if (!session) throw new RegistryFailure('internal', `no endpoint for ${this.name}`);
    return session;
  }

  async fetchManifest(reference: string, { signal }: Cancellable): Promise<FetchedManifest> {
    return await this.#manifest(reference, signal, getManifest);
  }

  async resolve(reference: string, { signal }: Cancellable): Promise<{ readonly digest: Digest }> {
    return await this.#manifest(reference, signal, headManifest);
  }

  async #manifest<T>(
    reference: string,
    signal: AbortSignal,
    ask: (session: Session, path: string, reference: string, options: ManifestOptions) => Promise<T>,
  ): Promise<T> {
    const options = { scopes: this.#scopes, signal };
    checkReference(this.name, reference);
    try {
      return await this.#fromAny(signal, (session) => ask(session, this.#path, reference, options));
    } catch (error) {
      const kind = isDigest(reference) ? { digest: reference } : { tag: reference };
      throw pullFailure(error, { domain: this.#domain, path: this.#path, ...kind });
    }
  }

  async fetchBlob(
    descriptor: Descriptor,
    options: Cancellable & { offset?: number; direct?: boolean },
  ): Promise<Readable> {
    const { signal, offset = 0, direct = false } = options;
    const target = this.#blob(descriptor.digest);
    const sessions = await this.#options.sessions();
    const from =
      (session: Session, where: string | URL): OpenBlob =>
      (headers) =>
        session.retrying(signal, () =>
          session.request({
            method: 'GET',
            target: where,
            headers: { 'accept-encoding': 'identity', ...headers },
            scopes: this.#scopes,
            signal,
          }),
        );
    const sources = sessions.map((session) => from(session, target));
    const own = sessions.slice(-1);
    // Foreign layers lie elsewhere, where nobody is told who we are.
    const elsewhere = own.flatMap((session) => webAddresses(descriptor).map((url) => from(session, url)));
    return await downloadBlob({
      descriptor,
      offset,
      sources: [...(direct ? sources.slice(-1) : sources), ...elsewhere],
      retry: this.#options.retry,
      signal,
    });
  }

  async hasBlob(digest: Digest, { signal }: Cancellable): Promise<boolean> {
    const session = await this.#own();
    return await session.retrying(signal, async () => {
      const answer = await session.request({
        method: 'HEAD',
        target: this.#blob(digest),
        scopes: this.#scopes,
        signal,
        alsoAccepts: [404],
      });
      await answer.discard();
      return answer.status !== 404;
    });
  }

  async blobSize(digest: Digest, { signal }: Cancellable): Promise<number | undefined> {
    return await this.#fromAny(signal, async (session) => {
      const answer = await session.request({
        method: 'HEAD',
        target: this.#blob(digest),
        headers: { 'accept-encoding': 'identity' },
        scopes: this.#scopes,
        signal,
        alsoAccepts: [404],
      });
      await answer.discard();
      const size = headerOf(answer, 'content-length');
      return answer.status === 404 || size === undefined ? undefined : Number(size);
    });
  }

  async mountBlob(digest: Digest, from: string, { signal }: Cancellable): Promise<boolean> {
    const source = parseReference(from);
    if (source.domain !== this.#domain) return false;
    const options = await this.#upload(signal, digest);
    return await options.session.retrying(signal, () => mountBlob(options, parseDigest(digest), source.path));
  }

  async pushBlob(
    descriptor: Descriptor,
    open: (offset: number) => Promise<Readable>,
    { signal }: Cancellable,
  ): Promise<void> {
    await uploadBlob(await this.#upload(signal, descriptor.digest), descriptor, open);
  }

  async #upload(signal: AbortSignal, digest: Digest): Promise<UploadOptions> {
    return {
      session: await this.#own(),
      path: this.#path,
      scopes: this.#scopes,
      retry: this.#options.retry,
      signal,
      isThere: () => this.hasBlob(digest, { signal }),
    };
  }

  async pushManifest(
    reference: string,
    mediaType: string,
    bytes: Uint8Array,
    { signal }: Cancellable,
  ): Promise<Digest> {
    checkReference(this.name, reference);
    const session = await this.#own();
    const answer = await session.retrying(signal, () =>
      session.request({
        method: 'PUT',
        target: `${this.#path}/manifests/${reference}`,
        headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
        body: bytes,
        scopes: this.#scopes,
        signal,
      }),
    );
    await answer.discard();
    const said = headerOf(answer, 'docker-content-digest') ?? '';
    const digest = digestOf(bytes, isDigest(said) ? algorithmOf(said) : 'sha256');
    if (isDigest(said) && said !== digest) {
      throw new RegistryFailure(
        'internal',
        `the registry stored the manifest as ${said} instead of ${digest}`,
      );
    }
    return digest;
  }

  async listTags({ signal }: Cancellable): Promise<readonly string[]> {
    const tags: string[] = [];
    const session = await this.#own();
    const seen = new Set<string>();
    let target: string | URL | undefined = `${this.#path}/tags/list?n=1000`;
    for (let page = 0; target !== undefined; page += 1) {
      const current: string | URL = target;
      if (page === maxTagPages) throw new RegistryFailure('internal', `${this.name} has too many tags`);
      const { text, next } = await session.retrying(signal, async () => {
        const answer = await session.request({
          method: 'GET',
          target: current,
          scopes: this.#scopes,
          signal,
        });
        const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(headerOf(answer, 'link') ?? '')?.[1];
        const body = await readText(answer, maxTagPage);
        return { text: body, next: link === undefined ? undefined : new URL(link, answer.url) };
      });
      tags.push(...parseTags(text, this.name));
      if (next && seen.has(next.href)) {
        throw new RegistryFailure('internal', `the list of tags of ${this.name} leads back to itself`);
      }
      if (next) seen.add(next.href);
      target = next;
    }
    return tags;
  }

  async listReferrers(
    subject: Digest,
    { signal }: Cancellable,
  ): Promise<readonly Readonly<Record<string, unknown>>[] | undefined> {
    const target = `${this.#path}/referrers/${parseDigest(subject)}`;
    return await this.#fromAny(signal, (session) =>
      getReferrers(session, target, { scopes: this.#scopes, signal }),
    );
  }

  #blob(digest: Digest): string {
    return `${this.#path}/blobs/${parseDigest(digest)}`;
  }
}

const webAddresses = ({ urls = [] }: Descriptor): readonly URL[] =>
  urls.filter((url) => /^https?:\/\//.test(url) && URL.canParse(url)).map((url) => new URL(url));

/** A tag or digest becomes part of an address. Throws invalidArgument. */
function checkReference(name: string, reference: string): void {
  if (!isDigest(reference)) withTag(parseReference(name), reference);
}

function parseTags(text: string, name: string): readonly string[] {
  let value: unknown;
  try {
    value = (JSON.parse(text) as { tags?: unknown } | null)?.tags ?? [];
  } catch (error) {
    throw new RegistryFailure('internal', `the list of tags of ${name} is no JSON`, { cause: error });
  }
  if (!Array.isArray(value)) throw new RegistryFailure('internal', `the list of tags of ${name} is no list`);
  return value.filter((tag) => typeof tag === 'string');
}
