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

/** GET of a blob from an offset on, retried until an answer's head is there. */
type OpenBlob = (headers: Readonly<Record<string, string>>) => Promise<Answer>;

export interface DownloadOptions {
  readonly descriptor: Descriptor;
  readonly offset: number;
  readonly open: OpenBlob;
  readonly retry: RetryOptions;
  readonly signal: AbortSignal;
}

/**
 * The blob's bytes from `offset` on. A broken transfer continues where it stopped, with a Range request or by
 * dropping what comes twice. Rejects before the first byte if the registry refuses.
 */
export async function downloadBlob(options: DownloadOptions): Promise<Readable> {
  if (options.offset >= options.descriptor.size) return Readable.from([], { objectMode: false });
  const first = await openAt(options, options.offset);
  return Readable.from(resuming(options, first), { objectMode: false, highWaterMark });
}

interface Part {
  readonly answer: Answer;
  /** Bytes at its start that we already have. */
  readonly skip: number;
}

async function openAt({ descriptor, open }: DownloadOptions, offset: number): Promise<Part> {
  const answer = await open(offset > 0 ? { range: `bytes=${offset}-` } : {});
  if (answer.status === 206) {
    const start = Number(/^bytes (\d+)-/.exec(headerOf(answer, 'content-range') ?? '')?.[1] ?? NaN);
    if (start === offset) return { answer, skip: 0 };
    await answer.discard();
    throw new RegistryFailure(
      'internal',
      `${requestName('GET', answer.url)}: the registry sent another range`,
    );
  }
  const announced = headerOf(answer, 'content-length');
  const isEncoded = (headerOf(answer, 'content-encoding') ?? 'identity') !== 'identity';
  if (announced !== undefined && !isEncoded && Number(announced) !== descriptor.size) {
    answer.body.destroy();
    const what = `blob ${descriptor.digest} has ${descriptor.size} bytes, but the registry sends ${announced}`;
    throw new RegistryFailure('internal', what);
  }
  if (announced === undefined && (headerOf(answer, 'content-type') ?? '').startsWith('text/html')) {
    answer.body.destroy();
    const name = requestName('GET', answer.url);
    throw new RegistryFailure('internal', `${name}: a web page came back instead of a blob`);
  }
  return { answer, skip: offset };
}

async function* resuming(options: DownloadOptions, first: Part): AsyncGenerator<Uint8Array> {
  const { descriptor, retry, signal } = options;
  let part: Part | undefined = first;
  let position = options.offset;
  let attempt = 1;
  let brokeAt = position;
  for (let interruptions = 1; ; interruptions += 1) {
    let failure: unknown;
    try {
      part ??= await openAt(options, position);
      for await (const chunk of read(part, descriptor.size - position)) {
        position += chunk.length;
        yield chunk;
      }
      if (position === descriptor.size) return;
      failure = new RegistryFailure('internal', 'unexpected EOF', { isRetryable: true });
    } catch (error) {
      failure = error;
    } finally {
      part?.answer.body.destroy();
      part = undefined;
    }
    signal.throwIfAborted();
    if (position - brokeAt >= progress) attempt = 1;
    brokeAt = position;
    attempt += 1;
    const wait = delayBefore(attempt, failure, retry);
    if (wait === undefined || interruptions > maxInterruptions)
      throw interrupted(failure, descriptor, position);
    await sleep(wait, signal);
  }
}

function interrupted(failure: unknown, { digest, size }: Descriptor, position: number): unknown {
  if (!(failure instanceof RegistryFailure) || !failure.isRetryable) return failure;
  return refail(failure, `blob ${digest} broke off after ${position} of ${size} bytes: ${failure.message}`);
}

/** The answer's bytes after those to skip; a surplus is an error, so that no registry fills the disk. */
async function* read({ answer, skip }: Part, expected: number): AsyncGenerator<Uint8Array> {
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
