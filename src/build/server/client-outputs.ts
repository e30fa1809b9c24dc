import type { Readable } from 'node:stream';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { BytesMessageSchema, type GrpcStream } from '#buildkit';
import { invalidArgument } from '#kernel';
import type { Descriptor } from '#oci';
import type { ExportResponse } from '../export/exporter.ts';
import type { OutputSink, SentFile } from '../export/output-sink.ts';
import type { ClientSession } from './client-session.ts';
import { ClientStore } from './client-store.ts';
import { sendTree } from './send-tree.ts';

const path = '/moby.filesync.v1.FileSend/DiffCopy';
/** By which clients know the folder that takes an image apart (BuildKit's exporter/oci). */
const storeName = 'export';
/** Bytes of one message, below the 4 MiB that receivers take. */
const largest = 1 << 20;

/** One of the places into which a client takes the results of its build (moby.filesync.v1.FileSend). */
export class ClientOutput implements OutputSink {
  readonly #session: ClientSession | undefined;
  readonly #id: number;

  /** `id`: the place of the output among those that the client asked for. */
  constructor(session: ClientSession | undefined, id: number) {
    this.#session = session;
    this.#id = id;
  }

  async files(files: readonly SentFile[], options: Parameters<OutputSink['files']>[1]): Promise<void> {
    await sendTree(this.#open({}), files, options);
  }

  async blob(
    descriptor: Descriptor,
    open: (offset: number) => Promise<Readable>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const store = new ClientStore(this.#required(), storeName);
    if (!(await store.has(descriptor, { signal }))) await store.putBlob(descriptor, open, { signal });
  }

  async bytes(
    chunks: AsyncIterable<Uint8Array>,
    { about, signal }: Parameters<OutputSink['bytes']>[1],
  ): Promise<void> {
    const stream = this.#open(about);
    const leave = (): void => stream.cancel();
    signal.addEventListener('abort', leave, { once: true });
    const over = readToEnd(stream);
    over.catch(() => undefined);
    try {
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length; at += largest) {
          const sent = stream.send(bytesMessage(chunk.subarray(at, at + largest)));
          // A receiver that has had enough says so instead of taking more.
          if ((await Promise.race([sent.then(() => 'sent' as const), over])) === 'over') return;
        }
      }
      stream.end();
      await over;
    } catch (error) {
      stream.cancel();
      signal.throwIfAborted();
      if (error instanceof ConnectError && error.code === Code.AlreadyExists) return;
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #required(): ClientSession {
    if (!this.#session) throw invalidArgument('an output that is sent to the client needs a session');
    return this.#session;
  }

  #open(about: ExportResponse): GrpcStream {
    const told = Object.entries(about).map(([name, value]) => [`exporter-md-${name}`, value] as const);
    return this.#required().openStream(path, {
      'buildkit-attachable-exporter-id': String(this.#id),
      ...Object.fromEntries(told),
    });
  }
}

async function readToEnd(stream: GrpcStream): Promise<'over'> {
  await Array.fromAsync(stream.messages());
  return 'over';
}

const bytesMessage = (data: Uint8Array): Uint8Array =>
  toBinary(BytesMessageSchema, create(BytesMessageSchema, { data }));
