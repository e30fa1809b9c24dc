import type { OutgoingHttpHeaders } from 'node:http';
import type { BlobInfo, ContentStore, Ingest } from '#content';
import { KeyedLock, kindOf, messageOf, newId } from '#kernel';
import type { Digest } from '#oci';
import { digestInvalid, RegistryError, uploadUnknown } from './registry-error.ts';
import type { Quotas } from './quotas.ts';
import type { RegistryStore } from './registry-store.ts';

/** An upload nobody writes to is closed after so many milliseconds; its bytes stay, and it goes on when asked. */
const idleMs = 30_000;

/** Bytes after which an upload of unknown length is measured against its repository's quota again. */
const checkEvery = 4 << 20;

interface OpenUpload {
  readonly ingest: Ingest;
  /** bytes */
  size: number;
  readonly idle: NodeJS.Timeout;
}

/** The bytes a client sends, and whether they stand where it says they do. */
export interface Chunk {
  readonly body: AsyncIterable<Uint8Array>;
  /** Of Content-Range: where the chunk is to stand. */
  readonly start: number | undefined;
  /** Its length, where it is known; bytes beyond it are an error. */
  readonly length: number | undefined;
}

/** The answer to a chunk that does not follow what is there: where to go on. */
const outOfOrder = (repository: string, id: string, size: number): RegistryError =>
  new RegistryError(416, 'BLOB_UPLOAD_INVALID', `the upload goes on at byte ${size}`, {
    headers: uploadHeaders(repository, id, size),
  });

export const uploadHeaders = (repository: string, id: string, size: number): OutgoingHttpHeaders => ({
  Location: `/v2/${repository}/blobs/uploads/${id}`,
  Range: `0-${Math.max(size - 1, 0)}`,
  'Docker-Upload-UUID': id,
});

/** Blobs on their way in (distribution-spec, "Pushing blobs"). One request at a time per upload. */
export class Uploads implements AsyncDisposable {
  readonly #content: ContentStore;
  readonly #store: RegistryStore;
  readonly #locks = new KeyedLock();
  readonly #open = new Map<string, OpenUpload>();
  readonly #quotas: Quotas;

  constructor(content: ContentStore, store: RegistryStore, quotas: Quotas) {
    this.#content = content;
    this.#store = store;
    this.#quotas = quotas;
  }

  begin(repository: string): string {
    const id = newId().slice(0, 32);
    this.#store.addUpload(id, repository);
    return id;
  }

  /** Bytes received. Throws BLOB_UPLOAD_UNKNOWN. */
  async size(repository: string, id: string): Promise<number> {
    this.#require(repository, id);
    await using _lock = await this.#locks.acquire(id);
    return (await this.#get(id)).size;
  }

  /** Takes a chunk; what arrived before a connection broke stays. Resolves to the bytes received altogether. */
  async append(repository: string, id: string, chunk: Chunk): Promise<number> {
    this.#require(repository, id);
    await using _lock = await this.#locks.acquire(id);
    const upload = await this.#get(id);
    await this.#write(repository, id, upload, chunk);
    return upload.size;
  }

  /**
   * Verifies the whole and makes it a blob. Throws DIGEST_INVALID on a mismatch, after which the upload is gone.
   */
  async finish(repository: string, id: string, digest: Digest): Promise<BlobInfo> {
    this.#require(repository, id);
    await using _lock = await this.#locks.acquire(id);
    const upload = await this.#get(id);
    try {
      return await upload.ingest.commit(digest);
    } catch (error) {
      if (kindOf(error) === 'invalidArgument') throw digestInvalid(messageOf(error));
      throw error;
    } finally {
      await this.#forget(id);
    }
  }

  async cancel(repository: string, id: string): Promise<void> {
    this.#require(repository, id);
    await using _lock = await this.#locks.acquire(id);
    await this.#discard(id);
  }

  /** Discards uploads that were begun before a time and that nobody is writing to. */
  async expire(before: bigint): Promise<number> {
    const old = this.#store.uploadsBefore(before).filter((id) => !this.#open.has(id));
    for (const id of old) {
      await using _lock = await this.#locks.acquire(id);
      await this.#discard(id);
    }
    return old.length;
  }

  /** Keeps the bytes of all that is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#open.keys()]) {
      await using _lock = await this.#locks.acquire(id);
      await this.#close(id);
    }
  }

  #require(repository: string, id: string): void {
    if (!this.#store.hasUpload(id, repository)) throw uploadUnknown(id);
  }

  async #get(id: string): Promise<OpenUpload> {
    const open = this.#open.get(id);
    if (open) {
      open.idle.refresh();
      return open;
    }
    const ingest = await this.#content.ingest({ key: `upload ${id}` });
    const idle = setTimeout(() => void this.#closeIdle(id), idleMs);
    idle.unref();
    const upload = { ingest, size: ingest.offset, idle };
    this.#open.set(id, upload);
    return upload;
  }

  async #write(repository: string, id: string, upload: OpenUpload, chunk: Chunk): Promise<void> {
    const { start, length } = chunk;
    if (start !== undefined && start !== upload.size) throw outOfOrder(repository, id, upload.size);
    const before = upload.size;
    await this.#mayGrow(repository, id, before + (length ?? 0));
    let checked = before;
    for await (const data of chunk.body) {
      await upload.ingest.write(data);
      upload.size += data.length;
      upload.idle.refresh();
      if (upload.size - checked < checkEvery) continue;
      checked = upload.size;
      await this.#mayGrow(repository, id, Math.max(checked, before + (length ?? 0)));
    }
    if (length !== undefined && upload.size - before !== length) {
      throw new RegistryError(
        400,
        'SIZE_INVALID',
        `the chunk has ${upload.size - before} bytes, not ${length}`,
      );
    }
  }

  /** Discards an upload that has no room. Throws DENIED. */
  async #mayGrow(repository: string, id: string, size: number): Promise<void> {
    try {
      this.#quotas.grow(repository, id, size);
    } catch (error) {
      await this.#discard(id);
      throw error;
    }
  }

  async #closeIdle(id: string): Promise<void> {
    await using _lock = await this.#locks.acquire(id);
    await this.#close(id);
  }

  async #close(id: string): Promise<void> {
    const upload = this.#open.get(id);
    if (!upload) return;
    clearTimeout(upload.idle);
    this.#open.delete(id);
    this.#quotas.end(id);
    await upload.ingest[Symbol.asyncDispose]();
  }

  async #forget(id: string): Promise<void> {
    this.#store.removeUpload(id);
    await this.#close(id);
  }

  async #discard(id: string): Promise<void> {
    const { ingest } = await this.#get(id);
    await ingest.abandon();
    await this.#forget(id);
  }
}
