import { rmSync } from 'node:fs';
import { mkdir, open, opendir, readdir, readFile, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { conflict, errnoOf, invalidArgument, newId, notFound, syncFolder, systemClock } from '#kernel';
import type { Clock } from '#kernel';
import { algorithmOf, digestOf, isDigest, type Digest } from '#oci';
import type { BlobInfo, ContentStore, Ingest, IngestOptions } from '../content-store.ts';
import { BlobPaths, keyedPrefix } from './blob-paths.ts';
import { diskError } from './disk-error.ts';
import { LocalIngest, sizeOf } from './ingest.ts';
import { damagedBlob, KnownGood } from './known-good.ts';

export interface LocalContentStoreOptions {
  /** A folder of its own; created by start(). */
  readonly root: string;
  /** Milliseconds for which the bytes of an interrupted keyed ingest are kept for resuming. */
  readonly partialLifetime?: number;
  readonly clock?: Clock;
}

const algorithms = ['sha256', 'sha384', 'sha512'] as const;
const defaultReadLimit = 4 << 20;
const defaultPartialLifetime = 24 * 3600 * 1000;
const streamChunk = 256 << 10;

const noSuchBlob = (digest: Digest): Error => notFound(`blob ${digest} not found`);

class LocalContentStore implements ContentStore {
  readonly #paths: BlobPaths;
  readonly #partialLifetime: number;
  readonly #clock: Clock;
  readonly #knownGood = new KnownGood();
  /** Files of keyed ingests that are open now. */
  readonly #open = new Set<string>();

  constructor(options: LocalContentStoreOptions) {
    this.#paths = new BlobPaths(options.root);
    this.#partialLifetime = options.partialLifetime ?? defaultPartialLifetime;
    this.#clock = options.clock ?? systemClock;
  }

  async start(): Promise<void> {
    for (const algorithm of algorithms) await mkdir(this.#paths.folder(algorithm), { recursive: true });
    await mkdir(this.#paths.ingests, { recursive: true });
    await syncFolder(this.#paths.blobs);
    await syncFolder(this.#paths.root);
    await this.#removeLeftovers();
  }

  async #removeLeftovers(): Promise<void> {
    const oldest = Number(this.#clock.now() / 1_000_000n) - this.#partialLifetime;
    for (const name of await readdir(this.#paths.ingests)) {
      const path = join(this.#paths.ingests, name);
      if (this.#open.has(path)) continue;
      if (name.startsWith(keyedPrefix) && (await stat(path)).mtimeMs > oldest) continue;
      await rm(path, { recursive: true, force: true });
    }
  }

  get #parts(): { readonly paths: BlobPaths; readonly knownGood: KnownGood } {
    return { paths: this.#paths, knownGood: this.#knownGood };
  }

  async ingest(options: IngestOptions = {}): Promise<Ingest> {
    const { key, expected } = options;
    if (key === undefined) {
      return LocalIngest.open(this.#parts, this.#paths.unkeyed(newId()), options, () => undefined);
    }
    const path = this.#paths.keyed(key, expected?.digest);
    if (this.#open.has(path)) throw conflict(`ingest ${JSON.stringify(key)} is under way`);
    this.#open.add(path);
    return LocalIngest.open(this.#parts, path, options, () => this.#open.delete(path));
  }

  async put(data: Uint8Array, expected?: Digest): Promise<BlobInfo> {
    const digest = digestOf(data, expected && algorithmOf(expected));
    if (expected && digest !== expected) {
      throw invalidArgument(`blob verification failed for digest ${expected}: the bytes are ${digest}`);
    }
    const isHere = await this.#holds(digest, data);
    if (isHere) return { digest, size: data.length };
    await using ingest = await this.ingest({ expected: { digest, size: data.length }, replaces: true });
    await ingest.write(data);
    return await ingest.commit();
  }

  /** Whether a blob is here with these bytes: one that was damaged is not. */
  async #holds(digest: Digest, data: Uint8Array): Promise<boolean> {
    if ((await sizeOf(this.#paths.blob(digest))) !== data.length) return false;
    return Buffer.from(data).equals(await readFile(this.#paths.blob(digest)));
  }

  async find(digest: Digest): Promise<BlobInfo | undefined> {
    const size = await sizeOf(this.#paths.blob(digest));
    return size === undefined ? undefined : { digest, size };
  }

  async get(digest: Digest): Promise<BlobInfo> {
    const info = await this.find(digest);
    if (!info) throw noSuchBlob(digest);
    return info;
  }

  async #openBlob(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#paths.blob(digest), 'r');
    } catch (error) {
      throw errnoOf(error) === 'ENOENT' ? noSuchBlob(digest) : diskError(error, this.#paths.root);
    }
  }

  async openStream(
    digest: Digest,
    range: { start?: number; end?: number; chunk?: number } = {},
  ): Promise<Readable> {
    const { start = 0, end = Infinity, chunk = streamChunk } = range;
    if (start < 0 || end < start) throw invalidArgument(`invalid range ${start}-${end} of blob ${digest}`);
    const file = await this.#openBlob(digest);
    if (start === end) {
      await file.close();
      return Readable.from([], { objectMode: false });
    }
    const stats = await file.stat({ bigint: true });
    if (end >= stats.size && !this.#knownGood.has(digest, stats)) {
      const stream = Readable.from(this.#knownGood.read(digest, file, start, chunk), {
        objectMode: false,
        highWaterMark: chunk,
      });
      // One that nobody has begun to read closes nothing by itself.
      return stream.once('close', () => void file.close().catch(() => undefined));
    }
    // Node counts the end in.
    return file.createReadStream({ start, end: end - 1, highWaterMark: chunk });
  }

  async read(digest: Digest, limit = defaultReadLimit): Promise<Uint8Array> {
    await using file = await this.#openBlob(digest);
    const { size } = await file.stat();
    if (size > limit) {
      throw invalidArgument(`blob ${digest} is too large: ${size} bytes, at most ${limit} are taken`);
    }
    const data = await file.readFile();
    if (digestOf(data, algorithmOf(digest)) !== digest) {
      throw damagedBlob(digest);
    }
    return data;
  }

  async path(digest: Digest): Promise<string> {
    await this.get(digest);
    return this.#paths.blob(digest);
  }

  async pathOfWhole(digest: Digest): Promise<string> {
    const file = await this.#openBlob(digest);
    if (this.#knownGood.has(digest, await file.stat({ bigint: true }))) await file.close();
    else await Array.fromAsync(this.#knownGood.read(digest, file, Infinity, streamChunk));
    return this.#paths.blob(digest);
  }

  async remove(digest: Digest): Promise<void> {
    this.#knownGood.delete(digest);
    await rm(this.#paths.blob(digest), { force: true });
  }

  async partials(): Promise<number> {
    let bytes = 0;
    for await (const { size } of this.#partials()) bytes += size;
    return bytes;
  }

  async removePartials(): Promise<number> {
    let bytes = 0;
    for await (const { path, size } of this.#partials()) {
      // It may have been taken up while another was removed.
      if (this.#open.has(path)) continue;
      rmSync(path, { force: true });
      bytes += size;
    }
    return bytes;
  }

  /** Keyed ones that are not open; others go with whoever began them. */
  async *#partials(): AsyncGenerator<{ readonly path: string; readonly size: number }, void, undefined> {
    for (const name of await readdir(this.#paths.ingests)) {
      const path = join(this.#paths.ingests, name);
      if (!name.startsWith(keyedPrefix) || this.#open.has(path)) continue;
      const size = await sizeOf(path);
      if (size !== undefined) yield { path, size };
    }
  }

  async *walk(): AsyncIterable<BlobInfo> {
    for (const algorithm of algorithms) {
      for await (const entry of await opendir(this.#paths.folder(algorithm))) {
        const digest = `${algorithm}:${entry.name}`;
        // A blob removed meanwhile is no longer there to be told of.
        const info = isDigest(digest) ? await this.find(digest) : undefined;
        if (info) yield info;
      }
    }
  }
}

/** Blobs as files of one folder. */
export const createLocalContentStore = (options: LocalContentStoreOptions): ContentStore =>
  new LocalContentStore(options);
