export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** The terminal that the program runs on, if there is one. */
export interface Terminal {
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Undefined without a terminal. */
  size(): Size | undefined;
  onResize(listener: () => void): Disposable;
  /** Keys go to the container as they are until the result is disposed. */
  raw(): Promise<Disposable>;
  /** stdin as it comes; ends at EOF. */
  input(): AsyncIterable<Uint8Array>;
}

// Loaded on first use: it costs 3 ms.
const isatty = (fd: number): boolean => process.getBuiltinModule('node:tty').isatty(fd);

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    get stdinIsTerminal() {
      return isatty(0);
    },
    get stdoutIsTerminal() {
      return isatty(1);
    },
    get stderrIsTerminal() {
      return isatty(2);
    },
    size() {
      const stream = isatty(1) ? process.stdout : isatty(2) ? process.stderr : undefined;
      const [columns, rows] = stream?.getWindowSize() ?? [0, 0];
      return stream && columns > 0 ? { rows, columns } : undefined;
    },
    onResize(listener) {
      process.on('SIGWINCH', listener);
      return { [Symbol.dispose]: () => process.off('SIGWINCH', listener) };
    },
    async raw() {
      const { makeRaw } = await import('./raw-mode.ts');
      return makeRaw();
    },
    input: () => process.stdin,
  };
}
