import koffi from 'koffi';
import { EngineError } from '#kernel';

type Context = object;
interface Library {
  readonly create: (flags: number) => Context | null;
  readonly free: { async(context: Context, done: (error: unknown) => void): void };
  readonly bufferOutput: (context: Context) => number;
  readonly bufferError: (context: Context) => number;
  readonly output: (context: Context) => string | null;
  readonly error: (context: Context) => string | null;
  readonly outputFlags: (context: Context, flags: number) => void;
  readonly run: (context: Context, commands: string) => number;
}
const OUTPUT_JSON = 1 << 4;

let library: Library | undefined;

/** Loaded on first use: a client on a machine without libnftables never gets here. */
function load(): Library {
  if (library) return library;
  try {
    const nft = koffi.load('libnftables.so.1');
    // The prototypes are those of nftables/libnftables.h; koffi's loose functions get their shapes here.
    const func = <F>(prototype: string): F => nft.func(prototype) as unknown as F;
    library = {
      create: func('void *nft_ctx_new(uint32_t flags)'),
      free: func('void nft_ctx_free(void *context)'),
      bufferOutput: func('int nft_ctx_buffer_output(void *context)'),
      bufferError: func('int nft_ctx_buffer_error(void *context)'),
      output: func('const char *nft_ctx_get_output_buffer(void *context)'),
      error: func('const char *nft_ctx_get_error_buffer(void *context)'),
      outputFlags: func('void nft_ctx_output_set_flags(void *context, unsigned int flags)'),
      run: func('int nft_run_cmd_from_buffer(void *context, const char *commands)'),
    };
    return library;
  } catch (error) {
    throw new EngineError('unavailable', 'libnftables.so.1 is missing: install the package libnftables1', {
      cause: error,
    });
  }
}

/**
 * nftables by library: each run() is one transaction, all or nothing. The context belongs to the network namespace in
 * which the thread was when it was made.
 */
export class Nftables implements Disposable {
  readonly #context: Context;
  readonly #library: Library;

  constructor() {
    this.#library = load();
    const context = this.#library.create(0);
    if (!context) throw new EngineError('internal', 'nft_ctx_new failed');
    this.#context = context;
    this.#library.bufferOutput(context);
    this.#library.bufferError(context);
  }

  /** Runs commands in nft(8)'s language. Throws `internal` with nft's own words. */
  run(commands: string): void {
    this.#run(commands);
  }

  /** Runs `list …` and returns what it answers: the array under `nftables` (libnftables-json(5)). */
  list(command: string): readonly Record<string, unknown>[] {
    this.#library.outputFlags(this.#context, OUTPUT_JSON);
    try {
      const text = this.#run(command);
      if (text.trim() === '') return [];
      const parsed = JSON.parse(text) as { nftables: Record<string, unknown>[] };
      return parsed.nftables;
    } finally {
      this.#library.outputFlags(this.#context, 0);
    }
  }

  /** Closing the socket waits for the kernel to free what was deleted (4–17 ms), hence on another thread. */
  [Symbol.dispose](): void {
    this.#library.free.async(this.#context, () => undefined);
  }

  #run(commands: string): string {
    const status = this.#library.run(this.#context, commands);
    // Both buffers are emptied by reading them, so each is read once per command.
    const output = this.#library.output(this.#context) ?? '';
    const error = this.#library.error(this.#context) ?? '';
    if (status !== 0) throw new EngineError('internal', `nftables: ${error.trim() || 'failed'}`);
    return output;
  }
}
