import { Readable } from 'node:stream';
import type { Descriptor } from '#oci';
import { networkFailure, requestName } from './network-failure.ts';
import { refail, RegistryFailure } from './registry-failure.ts';
import { delayBefore, sleep, type RetryOptions } from './retry.ts';
import { headerOf, type Answer } from './transport.ts';

/** Bytes after which an interruption counts as the first one again. */
const progress = 16 << 10;
/** A transfer that breaks off more often will not come to an end. */
const maxInterruptions = 200;
const highWaterMark = 256 << 10;

/** GET of a blob, retried until an answer's head is there. */
export type OpenBlob = (headers: Readonly<Record<string, string>>) => Promise<Answer>;

export interface DownloadOptions {
  readonly descriptor: Descriptor;
  readonly offset: number;
  /** Where the blob is to be had, at least one: the next is asked once the one before fails for good. */
  readonly sources: readonly OpenBlob[];
  readonly retry: RetryOptions;
  readonly signal: AbortSignal;
}

/**
 * The blob's bytes from `offset` on. A broken transfer continues where it stopped, with a Range request or by
 * dropping what comes twice, and from the next source where one fails for good. Rejects before the first byte if
 * every source refuses.
 */
export async function downloadBlob(options: DownloadOptions): Promise<Readable> {
  if (options.offset >= options.descriptor.size) return Readable.from([], { objectMode: false });
  const download = new Download(options);
  const first = await download.open();
  return Readable.from(download.read(first), { objectMode: false, highWaterMark });
}

interface Part {
  readonly answer: Answer;
  /** Bytes at its start that we already have. */
  readonly skip: number;
}

class Download {
  readonly #options: DownloadOptions;
  #source = 0;
  #position: number;
  /** Strong validator of what the source sent so far (RFC 9110 section 13.1.5). */
  #etag: string | undefined;
  /** Whether the source keeps to ranges. */
  #ranges = true;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#position = options.offset;
  }

  /** An answer of the first source that gives one. */
  async open(): Promise<Part> {
    for (;;) {
      const ranges = this.#ranges;
      try {
        return await this.#openOne();
      } catch (error) {
        this.#options.signal.throwIfAborted();
        const goesWithout = ranges && !this.#ranges;
        if (!goesWithout && !this.#next()) throw error;
      }
    }
  }

  #next(): boolean {
    if (this.#source + 1 >= this.#options.sources.length) return false;
    this.#source += 1;
    this.#etag = undefined;
    this.#ranges = true;
    return true;
  }

  async #openOne(): Promise<Part> {
    const { descriptor, sources } = this.#options;
    const open = sources[this.#source];
    if (!open) throw new RegistryFailure('internal', `nothing to fetch ${descriptor.digest} from`);
    const offset = this.#position;
    const range = offset > 0 && this.#ranges ? { range: `bytes=${offset}-` } : {};
    const answer = await open({
      ...range,
      ...('range' in range && this.#etag !== undefined && { 'if-range': this.#etag }),
    });
    if (answer.status === 206) {
      const start = Number(/^bytes (\d+)-/.exec(headerOf(answer, 'content-range') ?? '')?.[1] ?? NaN);
      if (start === offset) return { answer, skip: 0 };
      answer.body.destroy();
      this.#ranges = false;
      const name = requestName('GET', answer.url);
      throw new RegistryFailure('internal', `${name}: the registry sent another range`, {
        isRetryable: true,
      });
    }
    checkWhole(answer, descriptor);
    const etag = headerOf(answer, 'etag');
    this.#etag = etag?.startsWith('"') === true ? etag : undefined;
    return { answer, skip: offset };
  }

  async *read(first: Part): AsyncGenerator<Uint8Array> {
    const { descriptor, retry, signal } = this.#options;
    let part: Part | undefined = first;
    let attempt = 1;
    let brokeAt = this.#position;
    for (let interruptions = 1; ; interruptions += 1) {
      let failure: unknown;
      try {
        part ??= await this.#openOne();
        for await (const chunk of bytesOf(part, descriptor.size - this.#position)) {
          this.#position += chunk.length;
          yield chunk;
        }
        if (this.#position === descriptor.size) return;
        failure = new RegistryFailure('internal', 'unexpected EOF', { isRetryable: true });
      } catch (error) {
        failure = error;
      } finally {
        part?.answer.body.destroy();
        part = undefined;
      }
      signal.throwIfAborted();
      if (this.#position - brokeAt >= progress) attempt = 1;
      brokeAt = this.#position;
      attempt += 1;
      const wait = interruptions > maxInterruptions ? undefined : delayBefore(attempt, failure, retry);
      if (wait !== undefined) await sleep(wait, signal);
      else if (this.#next()) attempt = 1;
      else throw interrupted(failure, descriptor, this.#position);
    }
  }
}

/** Refuses an answer that cannot be the whole blob, before it is read. */
function checkWhole(answer: Answer, descriptor: Descriptor): void {
  const name = requestName('GET', answer.url);
  const refuse = (what: string): never => {
    answer.body.destroy();
    throw new RegistryFailure('internal', what);
  };
  const encoding = headerOf(answer, 'content-encoding') ?? 'identity';
  // Nobody asked for it, and what it unpacks to may be endless.
  if (encoding !== 'identity') refuse(`${name}: the registry sends the blob ${encoding}-encoded`);
  const announced = headerOf(answer, 'content-length');
  if (announced !== undefined && Number(announced) !== descriptor.size) {
    refuse(`blob ${descriptor.digest} has ${descriptor.size} bytes, but the registry sends ${announced}`);
  }
  if (announced === undefined && (headerOf(answer, 'content-type') ?? '').startsWith('text/html')) {
    refuse(`${name}: a web page came back instead of a blob`);
  }
}

function interrupted(failure: unknown, { digest, size }: Descriptor, position: number): unknown {
  if (!(failure instanceof RegistryFailure) || !failure.isRetryable) return failure;
  return refail(failure, `blob ${digest} broke off after ${position} of ${size} bytes: ${failure.message}`);
}

/** The answer's bytes after those to skip; a surplus is an error, so that no registry fills the disk. */
async function* bytesOf({ answer, skip }: Part, expected: number): AsyncGenerator<Uint8Array> {
  let left = skip;
  let count = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      const fresh = left === 0 ? chunk : chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
      count += fresh.length;
      if (count > expected)
        throw new RegistryFailure('internal', 'the registry sends more bytes than the blob has');
      if (fresh.length > 0) yield fresh;
    }
  } catch (error) {
    throw error instanceof RegistryFailure ? error : networkFailure('GET', answer.url, error);
  }
}
