import { Readable } from 'node:stream';
import { notFound, unavailable } from '#kernel';
import { digestOf, type Descriptor, type Digest } from '#oci';
import type { FetchedManifest, RegistryClient, Repository } from '#registry/client';

interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

const pathOf = (name: string): string => name.slice(name.indexOf('/') + 1);

/** A registry in memory, for tests; it counts what it is asked and breaks when told to. */
export class MemoryRegistry implements RegistryClient {
  readonly #manifests = new Map<string, StoredManifest>();
  readonly #blobs = new Map<string, Uint8Array>();
  /** One line per request that moves a blob: `fetch library/x sha256:… @0`. */
  readonly requests: string[] = [];
  /** Called with each chunk's position before it is sent; what it throws breaks the stream. */
  onChunk: (digest: Digest, position: number) => void | Promise<void> = () => undefined;
  unreachable = false;

  /** Puts a blob where a repository finds it, under its own digest or a lie. */
  putBlob(path: string, bytes: Uint8Array, digest = digestOf(bytes)): Digest {
    this.#blobs.set(`${path} ${digest}`, bytes);
    return digest;
  }

  putManifest(path: string, mediaType: string, document: object, ...tags: string[]): Descriptor {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    for (const object of [digest, ...tags]) this.#manifests.set(`${path} ${object}`, { mediaType, bytes });
    return { mediaType, digest, size: bytes.length };
  }

  repository(name: string): Repository {
    const path = pathOf(name);
    return {
      name,
      fetchManifest: (object) => this.#fetchManifest(path, object),
      resolve: async (object) => (await this.#fetchManifest(path, object)).descriptor,
      fetchBlob: (descriptor, { offset = 0 }) => this.#fetchBlob(path, descriptor.digest, offset),
      hasBlob: (digest) => Promise.resolve(this.#blobs.has(`${path} ${digest}`)),
      blobSize: (digest) => Promise.resolve(this.#blobs.get(`${path} ${digest}`)?.length),
      listReferrers: () => Promise.resolve(undefined),
      mountBlob: (digest, from) => {
        const bytes = this.#blobs.get(`${pathOf(from)} ${digest}`);
        this.requests.push(`mount ${path} ${from} ${digest}`);
        if (bytes) this.#blobs.set(`${path} ${digest}`, bytes);
        return Promise.resolve(bytes !== undefined);
      },
      pushBlob: async ({ digest }, open) => {
        this.requests.push(`push ${path} ${digest}`);
        const parts = await Array.fromAsync((await open(0)) as AsyncIterable<Uint8Array>);
        this.putBlob(path, Buffer.concat(parts), digest);
      },
      pushManifest: (object, mediaType, bytes) => {
        const digest = digestOf(bytes);
        for (const each of [object, digest]) this.#manifests.set(`${path} ${each}`, { mediaType, bytes });
        return Promise.resolve(digest);
      },
      listTags: () =>
        Promise.resolve(
          [...this.#manifests.keys()]
            .filter((key) => key.startsWith(`${path} `) && !key.includes(':'))
            .map((key) => key.slice(path.length + 1)),
        ),
    };
  }

  search(): Promise<readonly []> {
    return Promise.resolve([]);
  }

  login(): Promise<string> {
    return Promise.resolve('');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #fetchManifest(path: string, object: string): Promise<FetchedManifest> {
    if (this.unreachable) return Promise.reject(unavailable('connection refused'));
    const found = this.#manifests.get(`${path} ${object}`);
    if (!found) {
      const message = `manifest for ${path}:${object} not found: manifest unknown: manifest unknown`;
      return Promise.reject(notFound(message));
    }
    const { mediaType, bytes } = found;
    return Promise.resolve({ descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes });
  }

  #fetchBlob(path: string, digest: Digest, offset: number): Promise<Readable> {
    this.requests.push(`fetch ${path} ${digest} @${offset}`);
    const bytes = this.#blobs.get(`${path} ${digest}`);
    if (!bytes) return Promise.reject(notFound('blob unknown to registry'));
    return Promise.resolve(Readable.from(this.#chunks(digest, bytes, offset), { objectMode: false }));
  }

  async *#chunks(
    digest: Digest,
    bytes: Uint8Array,
    offset: number,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const chunk = 64 << 10;
    for (let position = offset; position < bytes.length; position += chunk) {
      await this.onChunk(digest, position);
      yield bytes.subarray(position, position + chunk);
    }
  }
}
