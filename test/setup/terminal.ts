import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { eventually, succeed } from './commands.ts';

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * A program under a real pseudo-terminal, made by util-linux's script(1), as a person would use it. Everything that
 * it wrote stays readable in `output`.
 */
export class Terminal implements AsyncDisposable {
  readonly #script: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<number>;
  #output = '';
  #seen = 0;

  constructor(
    program: string,
    args: readonly string[],
    options: { env?: Readonly<Record<string, string>>; size?: TerminalSize; cwd?: string } = {},
  ) {
    const { rows, columns } = options.size ?? { rows: 24, columns: 80 };
    const line = `stty rows ${rows} columns ${columns}; exec ${[program, ...args].map(quote).join(' ')}`;
    // pdeathsig: the program must not outlive a killed test.
    const script = [
      '--pdeathsig',
      'KILL',
      'script',
      '--quiet',
      '--return',
      '--flush',
      '--command',
      line,
      '/dev/null',
    ];
    const env = { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', ...options.env };
    this.#script = spawn('setpriv', script, { env, cwd: options.cwd, stdio: 'pipe' });
    const keep = (chunk: Buffer): void => void (this.#output += chunk.toString('latin1'));
    this.#script.stdout.on('data', keep);
    this.#script.stderr.on('data', keep);
    this.#script.stdin.on('error', () => undefined);
    this.#exit = new Promise((resolve) => {
      this.#script.on('close', (code) => resolve(code ?? 255));
    });
  }

  /** Everything written so far, byte by byte (latin1), with the terminal's \r\n. */
  get output(): string {
    return this.#output;
  }

  /** Types. Enter is `\r`, ctrl-p ctrl-q `\x10\x11`. */
  type(keys: string): void {
    this.#script.stdin.write(keys);
  }

  /** Waits for output after what the last call of this method had found; answers the match. */
  async expect(pattern: RegExp, timeout = 15_000): Promise<RegExpExecArray> {
    const what = () => `${String(pattern)} in ${JSON.stringify(this.#output.slice(this.#seen))}`;
    let match: RegExpExecArray | null = null;
    await eventually(() => (match = pattern.exec(this.#output.slice(this.#seen))), { timeout }).catch(
      () => undefined,
    );
    const found = match as RegExpExecArray | null;
    if (!found) throw new Error(`the terminal did not show ${what()}`);
    this.#seen += found.index + found[0].length;
    return found;
  }

  /** Changes the window's size; the program in front gets SIGWINCH. */
  async resize({ rows, columns }: TerminalSize): Promise<void> {
    const device = await eventually(() => this.#device());
    await succeed('stty', ['-F', device, 'rows', String(rows), 'columns', String(columns)]);
  }

  async #device(): Promise<string | undefined> {
    const { pid } = this.#script;
    const children = await readFile(`/proc/${pid ?? 0}/task/${pid ?? 0}/children`, 'utf8');
    const child = children.trim().split(' ')[0];
    const device = child ? await readlink(`/proc/${child}/fd/0`) : '';
    return device.startsWith('/dev/pts/') ? device : undefined;
  }

  /** The program's exit code, 128 + n after signal n. */
  async exitCode(timeout = 30_000): Promise<number> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`no end in the terminal: ${this.#output}`)), timeout);
    try {
      return await Promise.race([this.#exit, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hangs up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#script.kill('SIGKILL');
    await this.#exit;
  }
}
