import type { Readable } from 'node:stream';
import { messageOf } from '#kernel';
import type { Digest } from '#oci';
import type { Answer, Call } from '../answer.ts';
import { blobAnswer } from '../blobs.ts';
import { descriptorsIn } from '../manifest-document.ts';
import { blobUnknown } from '../registry-error.ts';
import { BlobPassage } from './blob-passage.ts';
import type { Copy, PullThroughParts } from './copy.ts';

interface Transit {
  readonly passage: BlobPassage;
  /** Repositories that the blob becomes a blob of. */
  readonly repositories: Set<string>;
  /** Resolves when its bytes have been put away, come what may. */
  readonly ended: Promise<void>;
}

/** Blobs of copies: fetched once however many ask, and served while they come. */
export class BlobCopies implements AsyncDisposable {
  readonly #parts: PullThroughParts;
  readonly #transits = new Map<Digest, Promise<Transit>>();
  readonly #running = new Set<Promise<void>>();
  readonly #end = new AbortController();

  constructor(parts: PullThroughParts) {
    this.#parts = parts;
  }

  async answer(call: Call, copy: Copy, digest: Digest, local: () => Promise<Answer>): Promise<Answer> {
    const { store, content, digests } = this.#parts;
    const { repository } = copy;
    if (store.useBlob(repository, digest) && (await content.find(digest))) return await local();
    const size = await this.#sizeOf(copy, digest);
    const here = await content.find(digest);
    if (here) {
      // Pushed here, or a copy of another repository's: this one has been shown to have it as well.
      await using _lock = await digests.acquire(digest);
      if (await content.find(digest)) {
        store.addBlob(repository, digest, here.size);
        return await local();
      }
    }
    if (call.method === 'HEAD') return blobAnswer(call, digest, size, undefined);
    const transit = await this.#transit(copy, digest, size);
    transit.repositories.add(repository);
    return blobAnswer(call, digest, size, (range) => Promise.resolve(transit.passage.open(range)));
  }

  /** From a manifest that needs it, else from the upstream. Throws BLOB_UNKNOWN. */
  async #sizeOf({ repository, remote }: Copy, digest: Digest): Promise<number> {
    const { store, content } = this.#parts;
    for (const manifest of store.manifestsWith(repository, digest)) {
      const known = descriptorsIn(await content.read(manifest)).find((each) => each.digest === digest);
      if (known) return known.size;
    }
    const size = await remote.blobSize(digest, { signal: this.#end.signal });
    if (size === undefined) throw blobUnknown(digest);
    return size;
  }

  async #transit(copy: Copy, digest: Digest, size: number): Promise<Transit> {
    const known = this.#transits.get(digest);
    if (known) return await known;
    const begun = this.#begin(copy, digest, size);
    this.#transits.set(digest, begun);
    const forget = (): void => {
      if (this.#transits.get(digest) === begun) this.#transits.delete(digest);
    };
    begun.then(({ ended }) => ended).then(forget, forget);
    return await begun;
  }

  /** Rejects where the upstream refuses. Goes on when the clients have gone: the next one asks for it soon. */
  async #begin({ repository, remote, upstream }: Copy, digest: Digest, size: number): Promise<Transit> {
    const { content, logger } = this.#parts;
    const descriptor = { mediaType: 'application/octet-stream', digest, size };
    const ingest = await content.ingest({ expected: { digest, size }, key: 'upstream' });
    let source: Readable;
    try {
      source = await remote.fetchBlob(descriptor, { signal: this.#end.signal, offset: ingest.offset });
    } catch (error) {
      await ingest[Symbol.asyncDispose]();
      throw error;
    }
    const passage = new BlobPassage(descriptor, content, ingest);
    const repositories = new Set([repository]);
    const end = async (): Promise<void> => {
      try {
        await passage.run(source, (commit) => this.#keep(digest, size, repositories, commit));
      } catch (error) {
        const details = { repository, digest, upstream: upstream.registry, error: messageOf(error) };
        logger.error(details, 'a blob could not be copied');
      } finally {
        await ingest[Symbol.asyncDispose]();
      }
    };
    const ended = end().finally(() => this.#running.delete(ended));
    this.#running.add(ended);
    return { passage, repositories, ended };
  }

  async #keep(
    digest: Digest,
    size: number,
    repositories: ReadonlySet<string>,
    commit: () => Promise<unknown>,
  ): Promise<void> {
    const { store, digests } = this.#parts;
    // Bytes without an owner could be swept away between the two steps.
    await using _lock = await digests.acquire(digest);
    await commit();
    for (const repository of repositories) store.addBlob(repository, digest, size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('the registry ends'));
    await Promise.allSettled(this.#running);
  }
}
