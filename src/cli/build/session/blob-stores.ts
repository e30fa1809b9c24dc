import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { content } from '#buildkit';
import type { IncomingCall } from './incoming-call.ts';
import type { SessionService } from './session-service.ts';

/** Names the store of a call (BuildKit's session/content). */
const storeHeader = 'buildkit-attachable-store-id';
/** Bytes in one message. */
const pieceSize = 1024 * 1024;
const write = { write: 1, commit: 2 } as const;

/** Serves blobs in folders laid out as OCI layouts, by the names of the stores; what the engine writes is verified. */
export function blobStores(folders: ReadonlyMap<string, string>): SessionService {
  const { info, read, write: writing } = content.Content.method;
  const folderOf = (call: IncomingCall): string => {
    const store = call.value(storeHeader) ?? '';
    const folder = folders.get(store);
    if (folder === undefined) throw new ConnectError(`unknown store ${store}`, Code.NotFound);
    return folder;
  };
  return {
    [pathOf(info)]: async (call) => {
      const { digest } = fromBinary(info.input, await firstOf(call));
      const size = BigInt(statSync(existing(folderOf(call), digest)).size);
      await call.send(toBinary(info.output, create(info.output, { info: { digest, size } })));
    },
    [pathOf(read)]: async (call) => {
      const { digest, offset, size } = fromBinary(read.input, await firstOf(call));
      const start = Number(offset);
      const range = { start, highWaterMark: pieceSize, ...(size > 0n && { end: start + Number(size) - 1 }) };
      let at = offset;
      const bytes = createReadStream(existing(folderOf(call), digest), range) as AsyncIterable<Uint8Array>;
      for await (const chunk of bytes) {
        const data = Uint8Array.from(chunk);
        await call.send(toBinary(read.output, create(read.output, { offset: at, data })));
        at += BigInt(data.length);
      }
    },
    [pathOf(writing)]: async (call) => {
      using incoming = new IncomingBlob(folderOf(call));
      for await (const message of call.messages()) {
        const { action, data, expected, total } = fromBinary(writing.input, message);
        if (data.length > 0) incoming.add(data);
        const digest = action === write.commit ? incoming.commit(expected, Number(total)) : '';
        const answer = { action, offset: BigInt(incoming.size), total, digest };
        await call.send(toBinary(writing.output, create(writing.output, answer)));
      }
    },
  };
}

const pathOf = (method: { readonly parent: { readonly typeName: string }; readonly name: string }): string =>
  `/${method.parent.typeName}/${method.name}`;

async function firstOf(call: IncomingCall): Promise<Uint8Array> {
  for await (const message of call.messages()) return Uint8Array.from(message);
  throw new ConnectError('the call has no message', Code.InvalidArgument);
}

function pathIn(folder: string, digest: string): string {
  const [, algorithm, hex] = /^(sha256):([0-9a-f]{64})$/.exec(digest) ?? [];
  if (algorithm === undefined || hex === undefined) {
    throw new ConnectError(`invalid digest ${digest}`, Code.InvalidArgument);
  }
  return join(folder, 'blobs', algorithm, hex);
}

function existing(folder: string, digest: string): string {
  const path = pathIn(folder, digest);
  if (statSync(path, { throwIfNoEntry: false })) return path;
  throw new ConnectError(`content ${digest}: not found`, Code.NotFound);
}

/** A blob on its way into a folder; without commit() it leaves nothing. */
class IncomingBlob implements Disposable {
  readonly #folder: string;
  readonly #path: string;
  readonly #hash = createHash('sha256');
  #fd: number | undefined;
  size = 0;

  constructor(folder: string) {
    this.#folder = folder;
    const incoming = join(folder, 'ingest');
    mkdirSync(incoming, { recursive: true });
    this.#path = join(incoming, randomBytes(16).toString('hex'));
    this.#fd = openSync(this.#path, 'wx', 0o644);
  }

  add(data: Uint8Array): void {
    if (this.#fd === undefined) throw new ConnectError('the blob is committed', Code.FailedPrecondition);
    for (let at = 0; at < data.length;) at += writeSync(this.#fd, data, at);
    this.#hash.update(data);
    this.size += data.length;
  }

  /** Answers its digest. Throws where it is not what was expected. */
  commit(expected: string, total: number): string {
    const digest = `sha256:${this.#hash.digest('hex')}`;
    if (
      this.#fd === undefined ||
      (expected !== '' && expected !== digest) ||
      (total > 0 && total !== this.size)
    ) {
      throw new ConnectError(
        `unexpected commit digest ${digest}, expected ${expected}`,
        Code.FailedPrecondition,
      );
    }
    fsyncSync(this.#fd);
    const path = pathIn(this.#folder, digest);
    mkdirSync(join(path, '..'), { recursive: true });
    this.#close();
    renameSync(this.#path, path);
    return digest;
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  [Symbol.dispose](): void {
    this.#close();
    rmSync(this.#path, { force: true });
  }
}
