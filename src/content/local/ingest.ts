import { createHash, type Hash } from 'node:crypto';
import { open, rename, rm, stat, type FileHandle, statfs } from 'node:fs/promises';
import { errnoOf, invalidArgument, syncFolder } from '#kernel';
import { algorithmOf, parseDigest, type Digest } from '#oci';
import type { BlobInfo, Ingest, IngestOptions } from '../content-store.ts';
import type { BlobPaths } from './blob-paths.ts';
import { diskError } from './disk-error.ts';
import type { KnownGood } from './known-good.ts';

/** Bytes per write to the disk: two such buffers an ingest, so that hashing and writing overlap. */
const bufferSize = 1 << 20;
/** The same where another ingest of the key goes on after a kill: what is in memory then comes twice. */
const keyedBufferSize = 256 << 10;

const algorithmFor = (options: IngestOptions): 'sha256' | 'sha384' | 'sha512' =>
  options.expected ? algorithmOf(options.expected.digest) : 'sha256';

/** Bytes of a file; undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeFully(file: FileHandle, data: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < data.length) {
    const result = await file.write(data, written, data.length - written, position + written);
    written += result.bytesWritten;
  }
}

/** Feeds the bytes that a resumed ingest already holds to the hash; returns how many there are. */
async function rehash(file: FileHandle, hash: Hash): Promise<number> {
  const buffer = Buffer.allocUnsafe(bufferSize);
  let position = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return position;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** What ingests share with their store. */
export interface IngestParts {
  readonly paths: BlobPaths;
  readonly knownGood: KnownGood;
}

/** One blob on its way into a file. Writes are to be awaited one after the other. */
export class LocalIngest implements Ingest {
  readonly #paths: BlobPaths;
  readonly #knownGood: KnownGood;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #options: IngestOptions;
  readonly #hash: Hash;
  readonly #release: () => void;
  readonly offset: number;
  #buffers: (Buffer | undefined)[] = [];
  #filled = 0;
  /** File position up to which buffers have been handed to the disk. */
  #position: number;
  #pending: Promise<void> | undefined;
  #failure: Error | undefined;
  #settled = false;

  private constructor(
    parts: IngestParts,
    path: string,
    file: FileHandle,
    options: IngestOptions,
    hash: Hash,
    offset: number,
    release: () => void,
  ) {
    this.#paths = parts.paths;
    this.#knownGood = parts.knownGood;
    this.#path = path;
    this.#file = file;
    this.#options = options;
    this.#hash = hash;
    this.#release = release;
    this.offset = offset;
    this.#position = offset;
  }

  /** `release` is called once, when the ingest is settled. */
  static async open(
    parts: IngestParts,
    path: string,
    options: IngestOptions,
    release: () => void,
  ): Promise<LocalIngest> {
    const resumes = options.key !== undefined;
    let hash = createHash(algorithmFor(options));
    try {
      // 'a+' would ignore positions; a keyed file is made where it does not exist yet.
      const file = await open(path, resumes && (await sizeOf(path)) !== undefined ? 'r+' : 'wx+', 0o644);
      try {
        let offset = resumes ? await rehash(file, hash) : 0;
        if (offset > (options.expected?.size ?? Infinity)) {
          await file.truncate(0);
          hash = createHash(algorithmFor(options));
          offset = 0;
        }
        return new LocalIngest(parts, path, file, options, hash, offset, release);
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      release();
      throw diskError(error, parts.paths.root);
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#throwIfOver();
    const { expected } = this.#options;
    const total = this.#position + this.#filled + chunk.length;
    if (expected?.size !== undefined && total > expected.size) {
      throw this.#fail(invalidArgument(`blob ${expected.digest} is longer than its ${expected.size} bytes`));
    }
    let rest = chunk;
    while (rest.length > 0) {
      const buffer = (this.#buffers[0] ??= Buffer.allocUnsafeSlow(this.#nextBufferSize()));
      const taken = Math.min(rest.length, buffer.length - this.#filled);
      buffer.set(taken === rest.length ? rest : rest.subarray(0, taken), this.#filled);
      this.#filled += taken;
      rest = rest.subarray(taken);
      if (this.#filled === buffer.length) await this.#flush();
    }
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    this.#throwIfOver();
    const buffered = position - this.#position;
    if (buffered >= 0) {
      const end = Math.min(buffered + length, this.#filled);
      return Uint8Array.from(this.#buffers[0]?.subarray(buffered, end) ?? []);
    }
    const left = -buffered;
    await this.#drain();
    this.#throwIfOver();
    const data = Buffer.allocUnsafe(Math.min(length, left));
    const { bytesRead } = await this.#file.read(data, 0, data.length, position);
    return data.subarray(0, bytesRead);
  }

  /** No more than what is still to come, where that is known. */
  #nextBufferSize(): number {
    const left = (this.#options.expected?.size ?? Infinity) - this.#position;
    const most = this.#options.key === undefined ? bufferSize : keyedBufferSize;
    return Math.max(1, Math.min(most, left));
  }

  /** Hashes the filled buffer and hands it to the disk; waits for the write before it, not for this one. */
  async #flush(): Promise<void> {
    await this.#drain();
    const [buffer, spare] = this.#buffers;
    if (!buffer || this.#filled === 0) return;
    const data = buffer.subarray(0, this.#filled);
    this.#pending = writeFully(this.#file, data, this.#position);
    // Without this a rejection before the next drain would count as unhandled.
    this.#pending.catch(() => undefined);
    this.#hash.update(data);
    this.#position += this.#filled;
    this.#filled = 0;
    this.#buffers = spare ? [spare, buffer] : [Buffer.allocUnsafeSlow(this.#nextBufferSize()), buffer];
  }

  async #drain(): Promise<void> {
    try {
      await this.#pending;
    } catch (error) {
      throw this.#fail(diskError(error, this.#paths.root));
    }
  }

  #fail(error: Error): Error {
    this.#failure ??= error;
    return this.#failure;
  }

  #hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  #throwIfOver(): void {
    if (this.#failure) throw this.#failure;
    if (this.#settled) throw invalidArgument('the ingest is closed');
  }

  async commit(digest?: Digest): Promise<BlobInfo> {
    this.#throwIfOver();
    try {
      await this.#flush();
      await this.#drain();
      const info = await this.#verify(digest);
      await this.#publish(info);
      return info;
    } catch (error) {
      this.#fail(diskError(error, this.#paths.root));
      await this[Symbol.asyncDispose]();
      throw this.#failure ?? error;
    }
  }

  async #verify(asked: Digest | undefined): Promise<BlobInfo> {
    const expected = this.#options.expected ?? (asked && { digest: asked, size: undefined });
    const size = this.#position;
    const digest = await this.#digest(expected?.digest);
    if (expected?.size !== undefined && size !== expected.size) {
      throw invalidArgument(`blob ${expected.digest} is truncated: ${size} of ${expected.size} bytes`);
    }
    if (expected && digest !== expected.digest) {
      throw invalidArgument(
        `blob verification failed for digest ${expected.digest}: the bytes are ${digest}`,
      );
    }
    return { digest, size };
  }

  /** Of everything written; one in another algorithm than expected so far is made from the file. */
  async #digest(like: Digest | undefined): Promise<Digest> {
    const algorithm = algorithmFor(this.#options);
    const wanted = like ? algorithmOf(like) : algorithm;
    if (wanted === algorithm) return parseDigest(`${algorithm}:${this.#hash.digest('hex')}`);
    const hash = createHash(wanted);
    await rehash(this.#file, hash);
    return parseDigest(`${wanted}:${hash.digest('hex')}`);
  }

  async #publish({ digest, size }: BlobInfo): Promise<void> {
    const target = this.#paths.blob(digest);
    // A blob of the wrong length was damaged behind our back: it is replaced.
    if (!this.#options.replaces && (await sizeOf(target)) === size) {
      await this.#close();
      await rm(this.#path, { force: true });
      return;
    }
    await this.#file.datasync();
    await this.#close();
    await rename(this.#path, target);
    this.#knownGood.add(digest, await stat(target, { bigint: true }));
    await syncFolder(this.#paths.folder(algorithmOf(digest)));
  }

  async #close(): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    this.#buffers = [];
    this.#release();
    await this.#file.close();
  }

  /** Whether the disk could take the blob and what is unpacked from it: else its bytes only fill the disk. */
  async #hasRoom(): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.#path);
    return bavail * bsize > 2 * (this.#options.expected?.size ?? 0);
  }

  async abandon(): Promise<void> {
    this.#fail(invalidArgument('the ingest was abandoned'));
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#settled) {
      if (this.#failure) await rm(this.#path, { force: true });
      return;
    }
    const isKept = this.#options.key !== undefined && !this.#failure && (await this.#hasRoom());
    try {
      if (isKept) await this.#flush();
      await this.#pending;
    } catch {
      // Disposing tells nobody; the bytes of a failed write are of no use.
      this.#failure ??= new Error('failed while closing');
    }
    await this.#close();
    // Asked again: the flush above may have failed. Without a byte there is nothing to resume.
    if (!isKept || this.#hasFailed() || this.#position === 0) await rm(this.#path, { force: true });
  }
}
