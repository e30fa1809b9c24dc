import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Limiter } from '#kernel';
import { hurry, openConsoleSocket, removeFile, sealedCopy, setTerminalOwner } from '#linux';
import type { RuntimeProgram } from '../runtime.ts';
import type { Children } from './children.ts';

export interface OciRuntimeOptions {
  /** Program file of crun or runc. */
  readonly binary: string;
  /** Its `--root`: state of the containers, on tmpfs. */
  readonly root: string;
  readonly env: readonly string[];
  /** How many starts at once; more than processors only makes each slower. */
  readonly concurrency: number;
  /** Short folder for console sockets, whose paths end at 107 bytes. */
  readonly socketFolder: string;
}

const SLOT_MS = 10_000;
const ignore = (): void => undefined;

/** What the OCI runtime wrote when it refused; not yet in Docker's words. */
export class OciRuntimeError extends Error {
  override readonly name = 'OciRuntimeError';
}

export interface OciStart {
  readonly verb: 'run' | 'exec';
  readonly containerId: string;
  /** The container's own program; undefined: ours. */
  readonly runtime?: RuntimeProgram | undefined;
  /** Arguments of the verb before the container's id. */
  readonly args: readonly string[];
  readonly stdio: readonly number[];
  readonly tty: boolean;
  /** The user to own the terminal, where the OCI runtime leaves it to root: crun does in an exec. */
  readonly owner?: number;
  /** oom_score_adj, where the OCI runtime leaves ours: crun does in an exec. */
  readonly oomScore?: number;
  /** Prefix of the files made for this call. */
  readonly files: string;
}

export interface OciStarted {
  readonly pid: number;
  /** The terminal's master; the caller closes it. */
  readonly terminal: number | undefined;
}

/** Calls crun or runc, from a sealed copy in memory: they trust such a file and need not copy themselves. */
export class OciRuntime {
  readonly #options: OciRuntimeOptions;
  readonly #children: Children;
  readonly #starts: Limiter;
  /** Copies by path. */
  readonly #programs = new Map<string, { fd: number; version: string }>();
  #consoles = 0;

  constructor(options: OciRuntimeOptions, children: Children) {
    this.#options = options;
    this.#children = children;
    this.#starts = new Limiter(options.concurrency);
  }

  /** Starts a process and hands it over as a child of ours. Throws OciRuntimeError. */
  async start(start: OciStart): Promise<OciStarted> {
    const started = Promise.withResolvers<OciStarted>();
    void this.#starts.run(async () => {
      const starting = this.#start(start);
      started.resolve(starting);
      // One that hangs (a hook, a dead file system) must not keep others from starting.
      await Promise.race([starting.catch(ignore), delay(SLOT_MS, undefined, { ref: false })]);
    });
    return started.promise;
  }

  async #start(start: OciStart): Promise<OciStarted> {
    using socket = start.tty ? this.#openConsole() : undefined;
    const console = socket ? ['--console-socket', socket.path] : [];
    const pidFile = `${start.files}.pid`;
    const args = [start.verb, '--detach', '--pid-file', pidFile, ...console, ...start.args];
    try {
      const onStart = (pid: number): void => {
        // crun sets an exec's terminal size while the program already starts: it must win that race.
        if (start.verb === 'exec' && start.tty) hurry(pid);
      };
      const { stdio, files, runtime, oomScore } = start;
      await this.#call({ args: [...args, start.containerId], stdio, files, runtime, oomScore, onStart });
      const terminal = socket?.receive();
      if (terminal !== undefined && start.owner) giveTerminal(terminal, start.owner);
      return { pid: Number(readFileSync(pidFile, 'latin1')), terminal };
    } finally {
      removeFile(pidFile);
    }
  }

  /** Whether it holds state of the container. */
  knows(containerId: string): boolean {
    return existsSync(this.#state(containerId));
  }

  /**
   * Removes the state of a container whose processes and cgroups are gone: what `delete` does, without its 7 ms,
   * as long as no hooks are to be run.
   */
  forget(containerId: string): void {
    rmSync(this.#state(containerId), { recursive: true, force: true });
  }

  /** `delete --force`. Throws OciRuntimeError. */
  async delete(containerId: string, files: string, runtime: RuntimeProgram | undefined): Promise<void> {
    const nothing = openSync('/dev/null', 'r+');
    try {
      const stdio = [nothing, nothing, nothing];
      await this.#call({ args: ['delete', '--force', containerId], stdio, files, runtime });
    } finally {
      closeSync(nothing);
    }
  }

  close(): void {
    for (const { fd } of this.#programs.values()) closeSync(fd);
    this.#programs.clear();
  }

  #state(containerId: string): string {
    return join(this.#options.root, containerId);
  }

  #openConsole(): ReturnType<typeof openConsoleSocket> {
    this.#consoles += 1;
    return openConsoleSocket(join(this.#options.socketFolder, `c${this.#consoles}`));
  }

  async #call(call: {
    readonly args: readonly string[];
    readonly stdio: readonly number[];
    /** Prefix of the log's path. */
    readonly files: string;
    readonly runtime: RuntimeProgram | undefined;
    readonly oomScore?: number | undefined;
    readonly onStart?: (pid: number) => void;
  }): Promise<void> {
    const { root, env, binary } = this.#options;
    const { path, args: own } = call.runtime ?? { path: binary, args: [] };
    const log = `${call.files}.log`;
    const args = [path, ...own, '--root', root, '--log', log, '--log-format', 'json', ...call.args];
    try {
      const { stdio, oomScore } = call;
      const program = { path: this.#sealed(path), args, env, stdio, oomScore };
      const { exitCode } = await this.#children.run(program, call.onStart);
      if (exitCode !== 0) throw new OciRuntimeError(lastMessage(log) ?? `${path} ended with ${exitCode}`);
    } finally {
      removeFile(log);
    }
  }

  /** The path of a copy, made again when the program file was replaced; a script's own, which its interpreter opens. */
  #sealed(path: string): string {
    const { ino, mtimeMs, size } = statSync(path);
    const version = `${ino} ${mtimeMs} ${size}`;
    let known = this.#programs.get(path);
    if (known?.version !== version) {
      if (isScript(path)) return path;
      if (known) closeSync(known.fd);
      known = { fd: sealedCopy(path), version };
      this.#programs.set(path, known);
    }
    return `/proc/self/fd/${known.fd}`;
  }
}

function isScript(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(2);
    readSync(fd, start);
    return start.toString('latin1') === '#!';
  } finally {
    closeSync(fd);
  }
}

/** The last line of an OCI runtime's JSON log, which says why it failed. */
function lastMessage(log: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(log, 'utf8');
  } catch {
    return undefined;
  }
  const lines = text.split('\n').filter(Boolean);
  for (const line of lines.reverse()) {
    try {
      const entry: unknown = JSON.parse(line);
      if (typeof entry === 'object' && entry !== null && 'msg' in entry && typeof entry.msg === 'string') {
        return entry.msg;
      }
    } catch {
      return line;
    }
  }
  return undefined;
}

function giveTerminal(terminal: number, owner: number): void {
  try {
    setTerminalOwner(terminal, owner);
  } catch {
    // Its programs have ended.
  }
}
