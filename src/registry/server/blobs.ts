import type { Readable } from 'node:stream';
import type { ContentStore } from '#content';
import type { KeyedLock } from '#kernel';
import { isDigest, parseDigest, type Digest } from '#oci';
import { isUnchanged, lengthOf, type Answer, type Call } from './answer.ts';
import { parseByteRange, parseChunkRange, type ByteRange } from './byte-range.ts';
import { blobUnknown, digestInvalid, unsupported, uploadInvalid } from './registry-error.ts';
import type { Quotas } from './quotas.ts';
import type { RegistryStore } from './registry-store.ts';
import { checkRepositoryName } from './request-target.ts';
import { uploadHeaders, type Chunk, type Uploads } from './uploads.ts';

export interface BlobParts {
  readonly content: ContentStore;
  readonly store: RegistryStore;
  readonly uploads: Uploads;
  readonly quotas: Quotas;
  /** Held while bytes become somebody's, or nobody's. */
  readonly digests: KeyedLock;
}

/** What `digest-algorithm` may ask for; the digest at an upload's end decides. */
const algorithms: readonly string[] = ['sha256', 'sha384', 'sha512'];

export function digestFrom(text: string): Digest {
  if (!isDigest(text)) throw digestInvalid(`invalid digest ${JSON.stringify(text)}`);
  return parseDigest(text);
}

const few = 32;
/** bytes */
const largePiece = 256 << 10;
const smallPiece = 32 << 10;

/** Blobs and their uploads (distribution-spec, "Pulling blobs", "Pushing blobs"). */
export class Blobs {
  readonly #parts: BlobParts;
  /** Blobs on their way out. */
  #sending = 0;

  constructor(parts: BlobParts) {
    this.#parts = parts;
  }

  async blob(call: Call, repository: string, digest: Digest): Promise<Answer> {
    if (call.method === 'DELETE') {
      this.#parts.store.removeBlob(repository, digest);
      return { status: 202, headers: { 'Content-Length': 0 } };
    }
    if (call.method !== 'GET' && call.method !== 'HEAD') throw unsupported(`${call.method} of a blob`);
    return await this.#read(call, repository, digest);
  }

  async #read(call: Call, repository: string, digest: Digest): Promise<Answer> {
    const { content, store } = this.#parts;
    const known = store.useBlob(repository, digest);
    if (!known || !(await content.find(digest))) throw blobUnknown(digest);
    return blobAnswer(call, digest, known.size, (range) => this.#open(digest, range));
  }

  /** In smaller pieces while many are sent, so that memory does not grow with the number of clients. */
  async #open(digest: Digest, range: ByteRange): Promise<Readable> {
    const chunk = this.#sending < few ? largePiece : smallPiece;
    const stream = await this.#parts.content.openStream(digest, { ...range, chunk });
    this.#sending += 1;
    stream.once('close', () => (this.#sending -= 1));
    return stream;
  }

  /** POST …/blobs/uploads/: a mount, a whole blob, or the beginning of an upload. */
  async begin(call: Call, repository: string, mayPull: (from: string) => boolean): Promise<Answer> {
    if (call.method !== 'POST') throw unsupported(`${call.method} of uploads`);
    const { query } = call;
    const mount = query.get('mount');
    const mounted =
      mount === null
        ? undefined
        : await this.#mount(repository, digestFrom(mount), query.get('from'), mayPull);
    if (mounted) return mounted;
    const { uploads } = this.#parts;
    const algorithm = query.get('digest-algorithm');
    if (algorithm !== null && !algorithms.includes(algorithm)) {
      throw digestInvalid(
        `digest algorithm ${JSON.stringify(algorithm)} is not one of ${algorithms.join(', ')}`,
      );
    }
    const digest = query.get('digest');
    if (digest !== null) return await this.#whole(call, repository, digestFrom(digest));
    const id = uploads.begin(repository);
    return { status: 202, headers: { ...uploadHeaders(repository, id, 0), 'Content-Length': 0 } };
  }

  /** The only request of its upload: nobody could go on with what is left of a broken one. */
  async #whole(call: Call, repository: string, digest: Digest): Promise<Answer> {
    const { uploads, quotas, store } = this.#parts;
    const id = uploads.begin(repository);
    quotas.expect(repository, id, digest, store.useBlob(repository, digest)?.size);
    try {
      return await this.#finish(call, repository, id, digest);
    } catch (error) {
      await uploads.cancel(repository, id).catch(() => undefined);
      throw error;
    }
  }

  /** undefined where the blob is not there, or not for this client to see: it uploads it then. */
  async #mount(
    repository: string,
    digest: Digest,
    from: string | null,
    mayPull: (from: string) => boolean,
  ): Promise<Answer | undefined> {
    const { store, content, digests } = this.#parts;
    if (from !== null) checkRepositoryName(from);
    await using _lock = await digests.acquire(digest);
    // Without a source any repository that the client may pull from will do.
    const source = (from === null ? store.repositoriesWith(digest) : [from]).find(mayPull);
    const known = source === undefined ? undefined : store.useBlob(source, digest);
    if (!known || !(await content.find(digest))) return undefined;
    this.#parts.quotas.admit(repository, () => store.addBlob(repository, digest, known.size));
    return createdBlob(repository, digest);
  }

  async upload(call: Call, repository: string, id: string): Promise<Answer> {
    const { uploads } = this.#parts;
    switch (call.method) {
      case 'GET':
      case 'HEAD':
        return { status: 204, headers: uploadHeaders(repository, id, await uploads.size(repository, id)) };
      case 'PATCH': {
        const size = await uploads.append(repository, id, chunkOf(call));
        return { status: 202, headers: { ...uploadHeaders(repository, id, size), 'Content-Length': 0 } };
      }
      case 'PUT': {
        const digest = call.query.get('digest');
        if (digest === null) throw digestInvalid('the last request of an upload needs a digest');
        return await this.#finish(call, repository, id, digestFrom(digest));
      }
      case 'DELETE':
        await uploads.cancel(repository, id);
        return { status: 204 };
      default:
        throw unsupported(`${call.method} of an upload`);
    }
  }

  async #finish(call: Call, repository: string, id: string, digest: Digest): Promise<Answer> {
    const { uploads, store, digests, quotas } = this.#parts;
    const received = await uploads.append(repository, id, chunkOf(call));
    quotas.checkBlob(repository, digest, received);
    // Bytes without an owner could be swept away between the two steps.
    await using _lock = await digests.acquire(digest);
    const { size } = await uploads.finish(repository, id, digest);
    quotas.admit(repository, () => store.addBlob(repository, digest, size));
    return createdBlob(repository, digest);
  }
}

/** The answer to GET or HEAD of a blob, or of a part of it; without `open`, its head only. */
export function blobAnswer(
  call: Call,
  digest: Digest,
  size: number,
  open: ((range: ByteRange) => Promise<Readable>) | undefined,
): Answer {
  const headers = {
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Content-Type': 'application/octet-stream',
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
  };
  if (isUnchanged(call, headers.ETag)) return { status: 304, headers: { ETag: headers.ETag } };
  const { range: asked, 'if-range': condition = headers.ETag } = call.request.headers;
  // Only a GET has ranges (RFC 9110, section 14.2), and only of what the client has the beginning of.
  const isPart = call.method === 'GET' && condition === headers.ETag;
  const range = isPart ? parseByteRange(asked, size) : undefined;
  const { start, end } = range ?? { start: 0, end: size };
  return {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      'Content-Length': end - start,
      ...(range && { 'Content-Range': `bytes ${start}-${end - 1}/${size}` }),
    },
    ...(open && { body: () => open({ start, end }) }),
  };
}

const createdBlob = (repository: string, digest: Digest): Answer => ({
  status: 201,
  headers: {
    Location: `/v2/${repository}/blobs/${digest}`,
    'Docker-Content-Digest': digest,
    'Content-Length': 0,
  },
});

function chunkOf(call: Call): Chunk {
  const range = parseChunkRange(call.request.headers['content-range']);
  const length = lengthOf(call);
  if (range && length !== undefined && length > 0 && range.end - range.start !== length) {
    throw uploadInvalid(`Content-Range has ${range.end - range.start} bytes, the body ${length}`);
  }
  // An upload that is refused half-way gets its answer: the connection is not broken.
  const body = call.request.iterator({ destroyOnReturn: false });
  return { body, start: range?.start, length };
}
