import { invalidArgument } from '#kernel';
import { decodePacket, encodePacket, framed, type Packet } from '#filesync';
import type { SentFile } from '../export/output-sink.ts';

/** A stream of packets to and from a receiver; GrpcStream fits. */
export interface PacketStream {
  messages(): AsyncIterable<Uint8Array>;
  /** Messages with their prefixes. Resolves once they are accepted. */
  sendFramed(frames: Uint8Array): Promise<void>;
  end(): void;
  cancel(): void;
}

/** Bytes that go out together. */
const batch = 64 * 1024;

/**
 * The sending side of a transfer of files (fsutil): a stat for every file and an empty one at the end; then, in any
 * order, the contents that the receiver asks for by the number of their stat, until it says that it has everything.
 */
export async function sendTree(
  stream: PacketStream,
  files: readonly SentFile[],
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (bytes: number) => void },
): Promise<void> {
  const leave = (): void => stream.cancel();
  signal.addEventListener('abort', leave, { once: true });
  const wanted = new Wanted();
  const reading = readRequests(stream, wanted);
  try {
    await Promise.race([reading, sendAll(stream, files, wanted, onProgress)]);
    await reading;
  } catch (error) {
    stream.cancel();
    signal.throwIfAborted();
    throw error;
  } finally {
    wanted.close();
    signal.removeEventListener('abort', leave);
  }
}

/** Numbers of the files that the receiver has asked for. */
class Wanted {
  readonly #ids: number[] = [];
  #isClosed = false;
  #wake: (() => void) | undefined;

  add(id: number): void {
    this.#ids.push(id);
    this.#wake?.();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /** The next one; undefined when there will be none any more. */
  async next(): Promise<number | undefined> {
    while (this.#ids.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#ids.shift();
  }
}

async function readRequests(stream: PacketStream, wanted: Wanted): Promise<void> {
  let isComplete = false;
  for await (const message of stream.messages()) {
    const packet = decodePacket(message);
    if (packet.type === 'request') wanted.add(packet.id);
    else if (packet.type === 'error') throw invalidArgument(packet.message);
    else if (packet.type === 'end') {
      isComplete = true;
      wanted.close();
      await stream.sendFramed(frameOf({ type: 'end' }));
      stream.end();
    }
  }
  if (!isComplete) throw invalidArgument('the client ended the transfer of files too early');
}

async function sendAll(
  stream: PacketStream,
  files: readonly SentFile[],
  wanted: Wanted,
  onProgress: (bytes: number) => void,
): Promise<void> {
  let pending: Uint8Array[] = [];
  let size = 0;
  let sent = 0;
  const flush = async (): Promise<void> => {
    const frames = Buffer.concat(pending);
    pending = [];
    size = 0;
    sent += frames.length;
    await stream.sendFramed(frames);
    onProgress(sent);
  };
  const add = async (packet: Packet): Promise<void> => {
    const frame = frameOf(packet);
    pending.push(frame);
    size += frame.length;
    if (size >= batch) await flush();
  };
  for (const { stat } of files) await add({ type: 'stat', stat });
  await add({ type: 'stat', stat: undefined });
  await flush();
  for (let id = await wanted.next(); id !== undefined; id = await wanted.next()) {
    const file = files[id];
    if (!file?.open) throw invalidArgument(`the client asked for a file that there is not: ${id}`);
    for await (const data of file.open()) {
      for (let at = 0; at < data.length; at += batch) {
        await add({ type: 'data', id, data: data.subarray(at, at + batch) });
      }
    }
    await add({ type: 'data', id, data: new Uint8Array() });
    if (size > 0) await flush();
  }
}

const frameOf = (packet: Packet): Uint8Array => framed(encodePacket(packet));
