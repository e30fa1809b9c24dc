import { Readable } from 'node:stream';
import { content } from '#buildkit';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type Client } from '@connectrpc/connect';
import { internal, newId, notFound } from '#kernel';
import { digestOf, type Descriptor, type Digest } from '#oci';
import type { CacheSink } from '../cache/cache-export.ts';
import type { CacheRepository } from '../cache/cache-origin.ts';
import type { ClientSession } from './client-session.ts';

interface Cancellable {
  readonly signal: AbortSignal;
}

/** Bytes in one message. */
const pieceSize = 1024 * 1024;

/** Names the store of a call, where a client has several (BuildKit's session/content). */
const storeHeader = 'buildkit-attachable-store-id';

/** A store of blobs that a client has in a folder, an OCI layout; the client writes its index.json itself. */
export class ClientStore implements CacheRepository, CacheSink {
  readonly #session: ClientSession;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #root: Digest | undefined;

  /** `root`: what is read of it, where something is. */
  constructor(session: ClientSession, store: string, root?: Digest) {
    this.#session = session;
    this.#headers = { [storeHeader]: store };
    this.#root = root;
  }

  async root(options: Cancellable): Promise<Uint8Array> {
    if (this.#root === undefined) throw notFound('the cache has no digest');
    return this.manifest(this.#root, options);
  }

  async manifest(digest: Digest, { signal }: Cancellable): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const { data } of this.#client.read({ digest }, { headers: this.#headers, signal })) {
      chunks.push(data);
    }
    return Buffer.concat(chunks);
  }

  fetchBlob(
    { digest }: Descriptor,
    { signal, offset = 0 }: Cancellable & { readonly offset?: number },
  ): Promise<Readable> {
    const answers = this.#client.read({ digest, offset: BigInt(offset) }, { headers: this.#headers, signal });
    async function* bytes(): AsyncGenerator<Uint8Array, void> {
      for await (const { data } of answers) yield data;
    }
    return Promise.resolve(Readable.from(bytes(), { objectMode: false }));
  }

  async has({ digest }: Descriptor, { signal }: Cancellable): Promise<boolean> {
    try {
      await this.#client.info({ digest }, { headers: this.#headers, signal });
      return true;
    } catch (error) {
      if (error instanceof ConnectError && error.code === Code.NotFound) return false;
      throw error;
    }
  }

  async putBlob(
    { digest, size }: Descriptor,
    open: (offset: number) => Promise<Readable>,
    { signal }: Cancellable,
  ): Promise<void> {
    // Its own: what an interrupted one has left is not gone on with.
    const ref = `wharf-${newId()}`;
    const total = BigInt(size);
    const common = { ref, total, expected: digest };
    async function* messages(): AsyncGenerator<
      MessageInitShape<typeof content.WriteContentRequestSchema>,
      void
    > {
      let offset = 0;
      for await (const chunk of (await open(0)) as AsyncIterable<Uint8Array>) {
        for (let at = 0; at < chunk.length; at += pieceSize) {
          const data = Uint8Array.from(chunk.subarray(at, at + pieceSize));
          yield { ...common, action: 1, offset: BigInt(offset), data };
          offset += data.length;
        }
      }
      yield { ...common, action: 2, offset: total };
    }
    try {
      let stored = '';
      const answers = this.#client.write(messages(), { headers: this.#headers, signal });
      for await (const answer of answers) stored = answer.digest;
      if (stored !== digest) throw internal(`the client stored ${stored} in place of ${digest}`);
    } catch (error) {
      // Another export of the same build was faster.
      if (!(error instanceof ConnectError) || error.code !== Code.AlreadyExists) throw error;
    }
  }

  async putManifest(mediaType: string, bytes: Uint8Array, options: Cancellable): Promise<void> {
    const blob = { mediaType, digest: digestOf(bytes), size: bytes.length };
    if (await this.has(blob, options)) return;
    await this.putBlob(blob, (offset) => Promise.resolve(Readable.from([bytes.subarray(offset)])), options);
  }

  get #client(): Client<typeof content.Content> {
    return this.#session.client(content.Content);
  }
}
