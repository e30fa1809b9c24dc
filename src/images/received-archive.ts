import { posix } from 'node:path';
import {
  decompress,
  detectCompression,
  magicLength,
  readTar,
  type Compression,
  type TarEntry,
} from '#archive';
import type { BlobInfo, ContentStore } from '#content';
import { invalidArgument } from '#kernel';
import { digestOf, type Digest } from '#oci';
import type { Claim } from './claims.ts';

/** A regular file of an archive: in memory if it is small, else a blob. */
type Member =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly digest: Digest; readonly size: number }
  | { readonly kind: 'link'; readonly target: string };

const smallFile = 256 << 10;
const maxInMemory = 32 << 20;
const maxEntries = 100_000;
const maxLinks = 16;

/** A path in an archive without `./`, `..` and outer slashes. Throws invalidArgument where it leads outside. */
function memberPath(name: string): string {
  const path = posix.normalize(name.replace(/^\/+/, '')).replace(/\/+$/, '');
  if (path === '..' || path.startsWith('../')) {
    throw invalidArgument(`invalid archive: ${JSON.stringify(name)} leads outside of it`);
  }
  return path;
}

/**
 * An image archive that has been read to its end: big files lie in the content store as they came, held by a claim,
 * so that layers are written to disk once.
 */
export class ReceivedArchive {
  readonly #content: ContentStore;
  readonly #claim: Claim;
  readonly #signal: AbortSignal;
  readonly #members = new Map<string, Member>();
  #inMemory = 0;

  constructor(content: ContentStore, claim: Claim, signal: AbortSignal) {
    this.#content = content;
    this.#claim = claim;
    this.#signal = signal;
  }

  /** Reads an uncompressed tar to its end. Throws invalidArgument for what is none. */
  async receive(source: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const entry of readTar(source)) {
      this.#signal.throwIfAborted();
      await this.#take(entry);
      if (this.#members.size > maxEntries) {
        throw invalidArgument(`invalid archive: more than ${maxEntries} files`);
      }
    }
  }

  async #take({ header, content }: TarEntry): Promise<void> {
    const path = memberPath(header.name);
    if (header.type === 'symlink' || header.type === 'hardlink') {
      const base = header.type === 'symlink' ? posix.dirname(path) : '.';
      this.#members.set(path, { kind: 'link', target: posix.join(base, header.linkName) });
    } else if (header.type === 'file') {
      const small = header.size <= smallFile && this.#inMemory + header.size <= maxInMemory;
      this.#members.set(
        path,
        small ? await this.#keepBytes(content) : { kind: 'blob', ...(await this.#keepBlob(content)) },
      );
    }
  }

  async #keepBytes(content: AsyncIterable<Uint8Array>): Promise<Member> {
    // Copied, since a chunk is part of a larger buffer that it would keep.
    const bytes = Buffer.concat(await Array.fromAsync(content));
    this.#inMemory += bytes.length;
    return { kind: 'bytes', bytes };
  }

  async #keepBlob(content: AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    await using ingest = await this.#content.ingest();
    for await (const chunk of content) await ingest.write(chunk);
    return await this.#claim.land(ingest);
  }

  #find(path: string): Exclude<Member, { kind: 'link' }> | undefined {
    let name = memberPath(path);
    for (let links = 0; links < maxLinks; links += 1) {
      const member = this.#members.get(name);
      if (member?.kind !== 'link') return member;
      name = memberPath(member.target);
    }
    throw invalidArgument(`invalid archive: too many links at ${JSON.stringify(path)}`);
  }

  has(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  /** A file that the archive itself makes, and that images may refer to from now on. */
  add(path: string, bytes: Uint8Array): void {
    this.#members.set(memberPath(path), { kind: 'bytes', bytes });
  }

  /** A document of the archive. Throws invalidArgument where there is none. */
  async read(path: string): Promise<Uint8Array> {
    const member = this.#find(path);
    if (!member) throw invalidArgument(`invalid archive: there is no ${path} in it`);
    return member.kind === 'bytes' ? member.bytes : this.#content.read(member.digest);
  }

  /** The file as a blob in the content store, held by the claim. Throws invalidArgument where there is none. */
  async blob(path: string): Promise<BlobInfo> {
    const member = this.#find(path);
    if (!member) throw invalidArgument(`invalid archive: there is no ${path} in it`);
    if (member.kind === 'blob') return member;
    const digest = digestOf(member.bytes);
    await this.#claim.blob(digest);
    return this.#content.put(member.bytes, digest);
  }

  /** The compression of a file, told from its first bytes. */
  async compression(path: string): Promise<Compression> {
    const { digest } = await this.blob(path);
    const stream = await this.#content.openStream(digest, { end: magicLength });
    return detectCompression(Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Uint8Array>)));
  }

  /** The file decompressed, as a blob held by the claim. */
  async plainBlob(path: string): Promise<BlobInfo> {
    const { digest } = await this.blob(path);
    const source = await this.#content.openStream(digest);
    const { stream } = await decompress(source as AsyncIterable<Uint8Array>, { signal: this.#signal });
    return this.#keepBlob(stream);
  }
}
