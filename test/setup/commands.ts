import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

export interface CommandResult {
  /** 128 + n after signal n, as a shell says it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds after which the command is killed and the call rejects; default 120,000. */
  readonly timeout?: number;
}

/** On an emulated machine everything takes longer: what deadlines are multiplied by. */
export const patience = Number(process.env['WHARF_TEST_PATIENCE'] ?? 1);

/** Runs a program to its end, whatever its exit code. */
export function command(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const limit = (options.timeout ?? 120_000) * patience;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on('data', (chunk: Buffer) => output.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.stderr.push(chunk));
  child.stdin.on('error', () => undefined); // a program need not read its input
  child.stdin.end(options.input);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, limit);
  child.on('error', reject);
  child.on('close', (code, signal) => {
    clearTimeout(timer);
    const stdout = Buffer.concat(output.stdout).toString();
    const stderr = Buffer.concat(output.stderr).toString();
    const shown = [program, ...args].join(' ');
    if (timedOut) reject(new Error(`${shown}: no end after ${limit} ms\n${stdout}${stderr}`));
    else resolve({ code: code ?? 128 + signals(signal), stdout, stderr });
  });
  return promise;
}

const signals = (name: NodeJS.Signals | null): number => (name ? constants.signals[name] : 0);

/** Like command(), and a non-zero exit code is an error. Answers its output without the last newline. */
export async function succeed(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return outputOf(await command(program, args, options), [program, ...args]);
}

/** The output of a command that has succeeded, without the last newline; any other exit code is an error. */
export function outputOf({ code, stdout, stderr }: CommandResult, words: readonly string[]): string {
  if (code !== 0) throw new Error(`${words.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
  return stdout.replace(/\n$/, '');
}

/**
 * Waits until `probe` answers something truthy, and answers that. An error of the probe counts as "not yet" and is
 * the cause when time is up. `timeout` is in milliseconds.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  options: { timeout?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + (options.timeout ?? 10_000) * patience;
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 100)) {
    let cause: unknown;
    try {
      const answer = await probe();
      if (answer) return answer;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`not in time: ${options.what ?? probe.toString()}`, { cause });
    }
    await delay(pause);
  }
}
