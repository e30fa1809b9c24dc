import { existsSync, openSync } from 'node:fs';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { internal } from '#kernel';
import { close, openPipe, spawnProcess, waitForChild } from '#linux';
import { damaged, missingProgram, type Compression } from '../compression.ts';
import type { FilterKind, FilterOrder, FilterResult } from './filter.ts';

const pipeSize = 1 << 20;

/** A stage of a pipeline that runs beside this thread. */
interface Stage {
  /** Blocks until it is over. */
  wait(): FilterResult;
  /** Gives it up, also if its input never ends. A thread ends by itself once its pipes are closed. */
  abandon(): void;
}

/** What the stages of a pipeline are made with. */
export interface StageTools {
  /** The worker's own program, for threads that decompress. */
  readonly url: URL;
  /** Where programs are looked for. */
  readonly programFolders: readonly string[];
}

/** The program's file, if it is installed. */
const findProgram = (name: string, { programFolders }: StageTools): string | undefined =>
  programFolders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));

function startProgram(path: string, args: readonly string[], input: number, output: number): Stage {
  const nothing = openSync('/dev/null', 'w');
  let pid: number;
  try {
    const name = path.slice(path.lastIndexOf('/') + 1);
    pid = spawnProcess({ path, args: [name, ...args], env: [], stdio: [input, output, nothing] });
  } finally {
    close(nothing);
    close(input);
    close(output);
  }
  return {
    wait() {
      const code = waitForChild(pid);
      return code === 0 ? { size: 0 } : { size: 0, failure: `${path} ended with code ${code}` };
    },
    abandon() {
      process.kill(pid, 'SIGKILL');
      waitForChild(pid);
    },
  };
}

function startThread(url: URL, kind: FilterKind, input: number, output: number): Stage {
  const { port1, port2 } = new MessageChannel();
  const finished = new SharedArrayBuffer(4);
  const order: FilterOrder = { kind, input, output, port: port2, finished };
  const worker = new Worker(url, {
    workerData: order,
    transferList: [port2],
    trackUnmanagedFds: false,
    execArgv: [],
  });
  worker.unref();
  return {
    wait() {
      Atomics.wait(new Int32Array(finished), 0, 0);
      const message = receiveMessageOnPort(port1)?.message as FilterResult | undefined;
      port1.close();
      if (!message) throw internal('a filter thread ended without a result');
      return message;
    },
    abandon() {
      port1.close();
    },
  };
}

/**
 * Bytes of a file or pipe as they are after decompression, decompressed and hashed on other cores. Takes over
 * the descriptor that it is given. finish() after the end of `fd` waits for all stages and throws if the data was
 * damaged.
 */
export class InputPipeline implements Disposable {
  #fd: number;
  readonly #compression: Compression;
  readonly #tools: StageTools;
  readonly #stages: Stage[] = [];
  #digest: Stage | undefined;
  #open = true;

  constructor(fd: number, options: { compression: Compression; wantDigest: boolean; tools: StageTools }) {
    this.#fd = fd;
    this.#compression = options.compression;
    this.#tools = options.tools;
    try {
      if (options.wantDigest) {
        this.#digest = this.#thread('digest');
        this.#stages.push(this.#digest);
      }
      if (this.#compression !== 'none') this.#stages.push(this.#decompress());
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  get fd(): number {
    return this.#fd;
  }

  finish(): { readonly digest?: string; readonly size: number } {
    this.#close();
    let digested: FilterResult | undefined;
    for (let stage = this.#stages.shift(); stage; stage = this.#stages.shift()) {
      const result = stage.wait();
      if (result.failure !== undefined) throw damaged(this.#compression);
      if (stage === this.#digest) digested = result;
    }
    return digested ?? { size: 0 };
  }

  /** Stops what has not been waited for. */
  [Symbol.dispose](): void {
    this.#close();
    for (const stage of this.#stages.splice(0)) stage.abandon();
  }

  #close(): void {
    if (this.#open) close(this.#fd);
    this.#open = false;
  }

  #decompress(): Stage {
    if (this.#compression === 'zstd') return this.#thread('unzstd');
    const igzip = this.#compression === 'gzip' ? findProgram('igzip', this.#tools) : undefined;
    if (this.#compression === 'gzip' && igzip === undefined) return this.#thread('gunzip');
    const program = igzip ?? findProgram(this.#compression, this.#tools);
    if (program === undefined) throw missingProgram(this.#compression);
    return this.#through((input, output) => startProgram(program, ['-dc'], input, output));
  }

  #thread(kind: FilterKind): Stage {
    return this.#through((input, output) => startThread(this.#tools.url, kind, input, output));
  }

  #through(start: (input: number, output: number) => Stage): Stage {
    const pipe = openPipe(pipeSize);
    const input = this.#fd;
    this.#fd = pipe.read;
    return start(input, pipe.write);
  }
}

/** A pipe to write plain bytes into, and one where they come out, compressed if asked. */
export class OutputPipeline {
  /** Where to write. */
  readonly fd: number;
  /** Where the other side reads; that side closes it. */
  readonly outlet: number;
  readonly #stage: Stage | undefined;
  #open = true;

  constructor({ compression, tools }: { compression: 'none' | 'gzip'; tools: StageTools }) {
    const outer = openPipe(pipeSize);
    this.outlet = outer.read;
    if (compression === 'none') {
      this.fd = outer.write;
      return;
    }
    const inner = openPipe(pipeSize);
    this.fd = inner.write;
    const igzip = findProgram('igzip', tools);
    this.#stage =
      igzip === undefined
        ? startThread(tools.url, 'gzip', inner.read, outer.write)
        : startProgram(igzip, ['-n', '-c'], inner.read, outer.write);
  }

  /** Ends the stream and waits until everything has been taken over. Idempotent. */
  finish(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.fd);
    const result = this.#stage?.wait();
    if (result?.failure !== undefined) throw internal(`cannot compress the archive: ${result.failure}`);
  }
}
