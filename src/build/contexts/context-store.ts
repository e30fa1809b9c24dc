import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { internal, invalidArgument, unavailable } from '#kernel';
import { CopyDigests } from '../files/copy-digests.ts';
import { ContentIndex, type StoredFile } from './content-index.ts';
import { filesOf, indexOf } from './file-store.ts';
import { Gathering } from './gathering.ts';
import { ReceivedTree } from './received-tree.ts';
import type { SingleFile, TransferAnswer, TransferRequest } from './transfer-messages.ts';
import type { Tree } from './tree.ts';

/** A client's end of a transfer of files: framed messages, both ways. */
export interface TransferStream {
  bytes(): AsyncIterable<Uint8Array>;
  sendFramed(frames: Uint8Array): Promise<void>;
  end(): void;
  cancel(): void;
}

export interface TakeOptions {
  readonly signal: AbortSignal;
  /** Bytes of contents received so far. */
  onProgress?(received: number): void;
}

export interface ReceiveOptions extends TakeOptions {
  /** Names the tree, so that a later transfer of it brings only what has changed. */
  readonly key: string;
}

/** Bytes that the thread may be behind before the client has to wait. */
const window = 8 * 1024 * 1024;
const idleMilliseconds = 30_000;

const workerUrl = new URL(
  import.meta.url.endsWith('.js') ? './transfer-worker.js' : './transfer-worker.ts',
  import.meta.url,
);

/**
 * Build contexts as clients send them: contents by digest, each once, and the tree of each context. Kept between
 * builds; started anew after a boot, since contents are not synced to disk.
 */
export class ContextStore implements AsyncDisposable {
  readonly root: string;
  /** What steps have taken of trees that were received. */
  readonly copies = new CopyDigests();
  readonly #thread = new TransferThread();
  #users = 0;
  #clearing: Promise<unknown> | undefined;

  constructor(root: string) {
    this.root = root;
  }

  /** Whether somebody works with files of it. */
  get isUsed(): boolean {
    return this.#users > 0;
  }

  /** Keeps everything in it until disposed: for who receives files and reads them later. */
  async use(): Promise<Disposable> {
    while (this.#clearing) await this.#clearing;
    this.#users += 1;
    const now = new Date();
    await utimes(join(this.root, 'boot'), now, now).catch(() => undefined);
    // Who goes on at once with what was received has taken it up by then.
    return { [Symbol.dispose]: () => void setImmediate(() => (this.#users -= 1)) };
  }

  /** When somebody last used it, in nanoseconds since the epoch; undefined as long as nothing was received. */
  async lastUse(): Promise<bigint | undefined> {
    if (!existsSync(indexOf(this.root))) return undefined;
    return BigInt(Math.round((await stat(join(this.root, 'boot'))).mtimeMs)) * 1_000_000n;
  }

  /** Removes everything; false: somebody uses it. */
  async clear(): Promise<boolean> {
    if (this.#users > 0 || this.#clearing) return false;
    this.#clearing = this.#clear().finally(() => (this.#clearing = undefined));
    await this.#clearing;
    return true;
  }

  async #clear(): Promise<void> {
    // The thread knows folders that it has made.
    await this.#thread[Symbol.asyncDispose]();
    await rm(this.root, { recursive: true, force: true });
    await this.start();
  }

  /** Removes what earlier runs have left half made, and everything of an earlier boot. */
  async start(): Promise<void> {
    const origin = `format 2, boot ${await readFile('/proc/sys/kernel/random/boot_id', 'utf8')}`;
    const stamp = join(this.root, 'boot');
    const before = await readFile(stamp, 'utf8').catch(() => '');
    if (before !== origin) await rm(this.root, { recursive: true, force: true });
    await rm(join(this.root, 'incoming'), { recursive: true, force: true });
    await mkdir(this.files, { recursive: true });
    // Its time is that of the last use.
    if (before !== origin) await writeFile(stamp, origin);
    else await this.#removeUnnamed();
  }

  /** Removes files that no transfer has completed. */
  async #removeUnnamed(): Promise<void> {
    const found = await readdir(this.files);
    if (found.length === 0) return;
    using index = new ContentIndex(indexOf(this.root));
    const named = index.files();
    for (const name of found) if (!named.has(name)) await rm(join(this.files, name));
  }

  /** The folder of the files that hold contents. */
  get files(): string {
    return filesOf(this.root);
  }

  /** Where contents are, by their digest; undefined for those that are not here. They never change. */
  find(digest: string): StoredFile | undefined {
    if (!existsSync(indexOf(this.root))) return undefined;
    using index = new ContentIndex(indexOf(this.root));
    const found = index.finder()(digest);
    return found && existsSync(join(this.files, found.stored.file)) ? found : undefined;
  }

  /** Receives a tree. Throws invalidArgument for what breaks the rules, or the stream's own error. */
  async receive(stream: TransferStream, options: ReceiveOptions): Promise<ReceivedTree> {
    using _use = await this.use();
    options.signal.throwIfAborted();
    const cancel = (): void => stream.cancel();
    options.signal.addEventListener('abort', cancel, { once: true });
    const transfer = new Transfer(stream, options);
    const post = this.#thread.begin(transfer);
    const bytes = new Gathering((gathered) => post({ kind: 'bytes', bytes: gathered }, [gathered.buffer]));
    try {
      post({ kind: 'begin', root: this.root, key: options.key });
      for await (const chunk of stream.bytes()) {
        bytes.push(chunk);
        await transfer.took(chunk.length);
      }
      bytes.flush();
      post({ kind: 'end' });
      return await transfer.tree;
    } catch (error) {
      bytes.drop();
      post({ kind: 'cancel' });
      options.signal.throwIfAborted();
      // The stream fails too when the thread has refused what came.
      throw transfer.failure ?? error;
    } finally {
      options.signal.removeEventListener('abort', cancel);
      this.#thread.finish(transfer);
    }
  }

  /** Receives a tree as a tar, compressed or not. Throws invalidArgument for what is none. */
  async receiveTar(archive: AsyncIterable<Uint8Array>, options: TakeOptions): Promise<Tree> {
    return this.#take(archive, { kind: 'begin-tar', root: this.root }, options);
  }

  /** Receives the contents of one file; the tree holds nothing else. */
  async receiveFile(
    contents: AsyncIterable<Uint8Array>,
    file: SingleFile,
    options: TakeOptions,
  ): Promise<Tree> {
    return this.#take(contents, { kind: 'begin-file', root: this.root, file }, options);
  }

  /** Takes over what is in a folder of this machine; everything belongs to root from then on. Kept under the key. */
  async receiveFolder(path: string, options: ReceiveOptions): Promise<Tree> {
    return this.#ask({ kind: 'folder', root: this.root, path, key: options.key }, options);
  }

  /** What was taken over under this key, if all of it is still here. */
  async recall(key: string): Promise<Tree | undefined> {
    const { signal } = new AbortController();
    const tree = await this.#ask({ kind: 'recall', root: this.root, key }, { key, signal });
    return tree.size > 0 ? tree : undefined;
  }

  async #ask(request: Unnumbered<TransferRequest>, options: ReceiveOptions): Promise<Tree> {
    using _use = await this.use();
    const transfer = new Transfer(idleStream(), options);
    const post = this.#thread.begin(transfer);
    try {
      post(request);
      return (await transfer.tree).open();
    } finally {
      this.#thread.finish(transfer);
    }
  }

  async #take(
    source: AsyncIterable<Uint8Array>,
    beginning: Unnumbered<TransferRequest>,
    options: TakeOptions,
  ): Promise<Tree> {
    using _use = await this.use();
    options.signal.throwIfAborted();
    const transfer = new Transfer({ ...idleStream(), bytes: () => source }, { ...options, key: '' });
    const post = this.#thread.begin(transfer);
    const bytes = new Gathering((gathered) => post({ kind: 'bytes', bytes: gathered }, [gathered.buffer]));
    try {
      post(beginning);
      for await (const chunk of source) {
        bytes.push(chunk);
        await transfer.took(chunk.length);
        options.signal.throwIfAborted();
        if (transfer.failure) break;
      }
      bytes.flush();
      post({ kind: 'end' });
      return (await transfer.tree).open();
    } catch (error) {
      bytes.drop();
      post({ kind: 'cancel' });
      throw error;
    } finally {
      this.#thread.finish(transfer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}

/** Of what comes without anybody to talk to. */
const idleStream = (): TransferStream => ({
  bytes: () => Readable.from([]),
  sendFramed: () => Promise.resolve(),
  end: () => undefined,
  cancel: () => undefined,
});

/** The main thread's side of one transfer. */
class Transfer {
  readonly #stream: TransferStream;
  readonly #options: ReceiveOptions;
  readonly #outcome = Promise.withResolvers<ReceivedTree>();
  #behind = 0;
  #sent: Promise<unknown> = Promise.resolve();
  #resume: (() => void) | undefined;
  failure: Error | undefined;

  constructor(stream: TransferStream, options: ReceiveOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#outcome.promise.catch(() => undefined);
  }

  get tree(): Promise<ReceivedTree> {
    return this.#outcome.promise;
  }

  /** Resolves when more may come. */
  async took(bytes: number): Promise<void> {
    this.#behind += bytes;
    if (this.#behind <= window || this.failure) return;
    await new Promise<void>((resume) => {
      this.#resume = resume;
    });
  }

  answered(answer: TransferAnswer): void {
    switch (answer.kind) {
      case 'progress':
        this.#behind -= answer.consumed;
        this.#options.onProgress?.(answer.received);
        if (answer.frames) this.#send(answer.frames);
        break;
      case 'done':
        this.#outcome.resolve(new ReceivedTree(answer.tree, answer.digest));
        void this.#sent.then(() => this.#stream.end());
        break;
      case 'failed':
        this.fail(answer.invalid ? invalidArgument(answer.message) : internal(answer.message));
        break;
    }
    if (this.#behind <= window) this.#resume?.();
  }

  /** One after the other: each waits until the client has taken the one before. */
  #send(frames: Uint8Array): void {
    this.#sent = this.#sent.then(() => this.#stream.sendFramed(frames)).catch(() => undefined);
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.#outcome.reject(error);
    this.#stream.cancel();
    this.#resume?.();
  }
}

type Unnumbered<T> = T extends unknown ? Omit<T, 'transfer'> : never;
type Post = (request: Unnumbered<TransferRequest>, transferred?: ArrayBuffer[]) => void;

/** The thread that does the work, started when it is needed and ended when it has had nothing to do for a while. */
class TransferThread implements AsyncDisposable {
  readonly #transfers = new Map<number, Transfer>();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #next = 0;

  begin(transfer: Transfer): Post {
    clearTimeout(this.#idle);
    const number = this.#next++;
    this.#transfers.set(number, transfer);
    const worker = (this.#worker ??= this.#start());
    return (request, transferred = []) => worker.postMessage({ ...request, transfer: number }, transferred);
  }

  finish(transfer: Transfer): void {
    for (const [number, running] of this.#transfers) if (running === transfer) this.#transfers.delete(number);
    if (this.#transfers.size > 0) return;
    this.#idle = setTimeout(() => void this[Symbol.asyncDispose](), idleMilliseconds);
    this.#idle.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(workerUrl);
    worker.unref();
    worker.on('message', (answer: TransferAnswer) => this.#transfers.get(answer.transfer)?.answered(answer));
    worker.once('error', (error: Error) => this.#lost(worker, error));
    worker.once('exit', () =>
      this.#lost(worker, unavailable('the thread that receives build contexts has ended')),
    );
    return worker;
  }

  #lost(worker: Worker, error: Error): void {
    if (this.#worker === worker) this.#worker = undefined;
    for (const transfer of this.#transfers.values()) transfer.fail(error);
  }
}
