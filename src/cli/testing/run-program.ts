import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../program.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface ProgramResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface ProgramOptions {
  readonly host?: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly now?: number;
  /** The program's name, wharf by default. */
  readonly name?: string;
}

/** Runs the command line in this process, without a terminal, and returns what it printed. */
export async function run(argv: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  const folder = mkdtempSync(join(tmpdir(), 'program-'));
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  try {
    const code = await runProgram({
      argv,
      name: options.name ?? 'wharf',
      env: {
        HOME: folder,
        DOCKER_CONFIG: folder,
        ...(options.host !== undefined && { DOCKER_HOST: options.host }),
        ...options.env,
      },
      out: { write: (bytes) => void out.push(Buffer.from(bytes)) },
      err: { write: (bytes) => void err.push(Buffer.from(bytes)) },
      terminal: noTerminal(options.stdin ?? ''),
      now: () => options.now ?? Date.now(),
    });
    return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const noTerminal = (stdin: string): Terminal => ({
  stdinIsTerminal: false,
  stdoutIsTerminal: false,
  stderrIsTerminal: false,
  size: () => undefined,
  onResize: () => ({ [Symbol.dispose]: () => undefined }),
  raw: () => Promise.resolve({ [Symbol.dispose]: () => undefined }),
  async *input() {
    await Promise.resolve();
    if (stdin !== '') yield Buffer.from(stdin);
  },
});
