import { createHash } from 'node:crypto';
import { closeSync, readSync, writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { MessagePort } from 'node:worker_threads';
import { createGunzip, createGzip, createZstdDecompress } from 'node:zlib';
import { messageOf } from '#kernel';

export type FilterKind = 'digest' | 'gunzip' | 'unzstd' | 'gzip';

/** What a filter thread is told: bytes go from one descriptor to the other, and it closes both. */
export interface FilterOrder {
  readonly kind: FilterKind;
  readonly input: number;
  readonly output: number;
  readonly port: MessagePort;
  /** One Int32, set to 1 and notified when the result has been posted. */
  readonly finished: SharedArrayBuffer;
}

export interface FilterResult {
  /** sha256 in hex and count of the bytes that went in, of kind `digest`. */
  readonly digest?: string;
  readonly size: number;
  readonly failure?: string;
}

const chunkSize = 1 << 18;
/** Where no faster program is installed, time matters more than the last per cent of size. */
const gzipLevel = 4;

function* readAll(fd: number): Generator<Buffer, void, undefined> {
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(chunkSize);
    const length = readSync(fd, buffer, 0, chunkSize, null);
    if (length === 0) return;
    yield buffer.subarray(0, length);
  }
}

export function writeAll(fd: number, data: Uint8Array): void {
  for (let at = 0; at < data.length;) at += writeSync(fd, data, at, data.length - at);
}

async function run({ kind, input, output }: FilterOrder): Promise<FilterResult> {
  let size = 0;
  if (kind === 'digest') {
    const hash = createHash('sha256');
    for (const chunk of readAll(input)) {
      size += chunk.length;
      hash.update(chunk);
      writeAll(output, chunk);
    }
    return { digest: hash.digest('hex'), size };
  }
  const filters = {
    gunzip: () => createGunzip({ chunkSize }),
    unzstd: () => createZstdDecompress({ chunkSize }),
    gzip: () => createGzip({ chunkSize, level: gzipLevel }),
  };
  const filter = filters[kind]();
  Readable.from(readAll(input)).pipe(filter);
  for await (const chunk of filter as AsyncIterable<Buffer>) {
    size += chunk.length;
    writeAll(output, chunk);
  }
  return { size };
}

/** The whole life of a filter thread. */
export async function runFilter(order: FilterOrder): Promise<void> {
  let result: FilterResult;
  try {
    result = await run(order);
  } catch (error) {
    result = { size: 0, failure: messageOf(error) };
  }
  order.port.postMessage(result);
  order.port.close();
  closeSync(order.output);
  closeSync(order.input);
  const finished = new Int32Array(order.finished);
  Atomics.store(finished, 0, 1);
  Atomics.notify(finished, 0);
}
