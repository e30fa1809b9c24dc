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
/** Files that are read at once. */
const parallel = 8;

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
  readonly #waiting: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#ids.length === 0;
  }

  add(id: number): void {
    this.#ids.push(id);
    this.#waiting.shift()?.();
  }

  close(): void {
    this.#isClosed = true;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The next one; undefined when there will be none any more. */
  async next(): Promise<number | undefined> {
    while (this.#ids.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
  const packets = new PacketBatch(stream, onProgress);
  for (const { stat } of files) await packets.add({ type: 'stat', stat });
  await packets.add({ type: 'stat', stat: undefined });
  const sendWanted = async (): Promise<void> => {
    for (;;) {
      if (wanted.isEmpty) await packets.flush();
      const id = await wanted.next();
      if (id === undefined) return;
      await sendContents(packets, id, files[id]);
    }
  };
  await Promise.all(Array.from({ length: parallel }, sendWanted));
}

async function sendContents(packets: PacketBatch, id: number, file: SentFile | undefined): Promise<void> {
  if (!file?.open) throw invalidArgument(`the client asked for a file that there is not: ${id}`);
  for await (const data of file.open()) {
    for (let at = 0; at < data.length; at += batch) {
      await packets.add({ type: 'data', id, data: data.subarray(at, at + batch) });
    }
  }
  await packets.add({ type: 'data', id, data: new Uint8Array() });
}

/** Packets go out together, as far as there is no need to wait for more of them. */
class PacketBatch {
  readonly #stream: PacketStream;
  readonly #onProgress: (bytes: number) => void;
  #pending: Uint8Array[] = [];
  #size = 0;
  #sent = 0;

  constructor(stream: PacketStream, onProgress: (bytes: number) => void) {
    this.#stream = stream;
    this.#onProgress = onProgress;
  }

  async add(packet: Packet): Promise<void> {
    const frame = frameOf(packet);
    this.#pending.push(frame);
    this.#size += frame.length;
    if (this.#size >= batch) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#size === 0) return;
    const frames = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#size = 0;
    this.#sent += frames.length;
    await this.#stream.sendFramed(frames);
    this.#onProgress(this.#sent);
  }
}

const frameOf = (packet: Packet): Uint8Array => framed(encodePacket(packet));
