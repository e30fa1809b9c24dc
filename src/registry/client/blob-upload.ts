import { Readable } from 'node:stream';
import type { Descriptor, Digest } from '#oci';
import { requestName } from './network-failure.ts';
import { RegistryFailure } from './registry-failure.ts';
import { delayBefore, sleep, type RetryOptions } from './retry.ts';
import type { Session } from './session.ts';
import { headerOf, type Answer } from './transport.ts';

export interface UploadOptions {
  readonly session: Session;
  /** Repository below the registry, `library/busybox`. */
  readonly path: string;
  readonly scopes: readonly string[];
  readonly retry: RetryOptions;
  readonly signal: AbortSignal;
  /** Whether the repository has the blob now. */
  isThere(): Promise<boolean>;
}

/** The blob's bytes from an offset on. */
export type OpenBytes = (offset: number) => Promise<Readable>;

/** Bytes of a request where a registry, or a proxy before it, takes no larger one. */
const chunkSize = 8 << 20;
/** An upload that breaks off more often will not come to an end. */
const maxInterruptions = 200;

/** Where an upload continues (distribution-spec, pushing blobs). */
function locationOf(answer: Answer): URL {
  const location = headerOf(answer, 'location');
  if (location === undefined || !URL.canParse(location, answer.url)) {
    throw new RegistryFailure(
      'internal',
      `${requestName(answer.method, answer.url)}: the registry names no upload location`,
    );
  }
  return new URL(location, answer.url);
}

function expectStatus(answer: Answer, expected: readonly number[]): void {
  if (expected.includes(answer.status)) return;
  const name = requestName(answer.method, answer.url);
  throw new RegistryFailure('internal', `${name}: received unexpected HTTP status: ${answer.status}`);
}

/**
 * One blob: in one PUT, and after a broken connection from where the registry says that it has got to. A request that
 * is too large for the registry is taken apart.
 */
export async function uploadBlob(options: UploadOptions, blob: Descriptor, open: OpenBytes): Promise<void> {
  const upload = new Upload(options, blob, open);
  let attempt = 1;
  for (let interruptions = 0; ; interruptions += 1) {
    const before = upload.position;
    try {
      await upload.finish();
      return;
    } catch (error) {
      options.signal.throwIfAborted();
      if (upload.takeApart(error)) continue;
      attempt += 1;
      const wait = delayBefore(attempt, error, options.retry);
      if (wait === undefined || interruptions === maxInterruptions) throw error;
      await sleep(wait, options.signal);
      // The answer may have been lost on the way back, not the blob.
      if (await options.isThere()) return;
      await upload.resume();
      if (upload.position > before) attempt = 1;
    }
  }
}

class Upload {
  readonly #options: UploadOptions;
  readonly #blob: Descriptor;
  readonly #open: OpenBytes;
  #location: URL | undefined;
  #chunk: number | undefined;
  #position = 0;

  constructor(options: UploadOptions, blob: Descriptor, open: OpenBytes) {
    this.#options = options;
    this.#blob = blob;
    this.#open = open;
  }

  /** Bytes that the registry is known to have. */
  get position(): number {
    return this.#position;
  }

  /** Sends what is missing. */
  async finish(): Promise<void> {
    const { size } = this.#blob;
    this.#location ??= await this.#begin();
    if (this.#position > 0 || this.#chunk !== undefined) {
      while (this.#position < size) await this.#patch(this.#location);
      await this.#put(this.#location, 0);
    } else await this.#put(this.#location, size);
  }

  /** After a refusal for its size: begins anew, in pieces. */
  takeApart(error: unknown): boolean {
    const isTooLarge = error instanceof RegistryFailure && error.status === 413;
    if (!isTooLarge || this.#chunk !== undefined || this.#blob.size <= chunkSize) return false;
    this.#chunk = chunkSize;
    this.#restart();
    return true;
  }

  #restart(): void {
    this.#location = undefined;
    this.#position = 0;
  }

  /** Asks the registry how far it has got; begins anew where it does not know. */
  async resume(): Promise<void> {
    const target = this.#location;
    if (!target) return;
    try {
      const answer = await this.#request('GET', target);
      await answer.discard();
      const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(headerOf(answer, 'range') ?? '')?.[1] ?? 0);
      // An empty upload says 0-0, as one of a single byte does.
      if (last === 0 || last >= this.#blob.size) {
        this.#restart();
        return;
      }
      this.#location = headerOf(answer, 'location') === undefined ? target : locationOf(answer);
      this.#position = last + 1;
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (!(error instanceof RegistryFailure)) throw error;
      this.#restart();
    }
  }

  async #begin(): Promise<URL> {
    const answer = await this.#request('POST', `${this.#options.path}/blobs/uploads/`, {
      'content-length': '0',
    });
    await answer.discard();
    expectStatus(answer, [202]);
    return locationOf(answer);
  }

  async #patch(target: URL): Promise<void> {
    const start = this.#position;
    const end = Math.min(this.#blob.size, start + (this.#chunk ?? Infinity));
    const headers = { 'content-range': `${start}-${end - 1}` };
    const answer = await this.#send('PATCH', target, start, end, headers);
    expectStatus(answer, [202, 204]);
    this.#location = locationOf(answer);
    this.#position = end;
  }

  async #put(target: URL, size: number): Promise<void> {
    const url = new URL(this.#location ?? target);
    url.searchParams.set('digest', this.#blob.digest);
    const answer =
      size === 0
        ? await this.#request('PUT', url, { 'content-length': '0' })
        : await this.#send('PUT', url, 0, size);
    await answer.discard();
    expectStatus(answer, [201, 204]);
  }

  /** Bytes from `start` up to `end`. */
  async #send(
    method: 'PUT' | 'PATCH',
    target: URL,
    start: number,
    end: number,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const source = await this.#open(start);
    const body = end < this.#blob.size ? firstBytes(source, end - start) : source;
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': String(end - start),
      ...more,
    };
    try {
      const answer = await this.#request(method, target, headers, body);
      await answer.discard();
      return answer;
    } finally {
      body.destroy();
      source.destroy();
    }
  }

  #request(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH',
    target: string | URL,
    headers: Readonly<Record<string, string>> = {},
    body?: Readable,
  ): Promise<Answer> {
    const { session, scopes, signal } = this.#options;
    return session.request({ method, target, headers, ...(body && { body }), scopes, signal });
  }
}

/** As many bytes as these, and no more are read from the source. */
const firstBytes = (source: Readable, count: number): Readable =>
  Readable.from(limited(source, count), { objectMode: false });

async function* limited(source: Readable, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/** Asks the registry to take the blob from another of its repositories; false when it wants an upload. */
export async function mountBlob(options: UploadOptions, digest: Digest, from: string): Promise<boolean> {
  const { session, path, scopes, signal } = options;
  const query = new URLSearchParams({ mount: digest, from });
  try {
    const answer = await session.request({
      method: 'POST',
      target: `${path}/blobs/uploads/?${query.toString()}`,
      headers: { 'content-length': '0' },
      scopes: [...scopes, `repository:${from}:pull`],
      signal,
    });
    await answer.discard();
    if (answer.status === 201) return true;
    expectStatus(answer, [202]);
    // The registry has begun an upload that nobody will finish. Being tidy is no reason to fail.
    const target = locationOf(answer);
    await session
      .request({ method: 'DELETE', target, scopes, signal })
      .then((ended) => ended.discard())
      .catch(() => undefined);
  } catch (error) {
    signal.throwIfAborted();
    // The source may be closed to us although the target is open: then the blob is sent.
    if (!(error instanceof RegistryFailure) || error.isRetryable) throw error;
  }
  return false;
}
