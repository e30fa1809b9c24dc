import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLogger } from '#kernel';
import { Cgroup, prepareCgroups, processStartTicks, readCgroupHost } from '#linux';
import { createCrunRuntime } from '../crun/crun-runtime.ts';
import type { ExecOptions, Runtime, RunOptions, TaskExit } from '../runtime.ts';

/** Declares one test of the suite. */
export type Each = (title: string, body: (bench: Bench) => Promise<void>) => void;

export const attachAll = { stdin: true, stdout: true, stderr: true } as const;

/** The bundle beside us where this suite is bundled too, as for the virtual machine. */
const bundled = join(import.meta.dirname, 'supervisor.js');
const script = existsSync(bundled) ? bundled : join(import.meta.dirname, '../../bin/supervisor.ts');

export interface ContainerOptions {
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly cwd?: string;
  readonly uid?: number;
  readonly resources?: object;
  readonly logMaxSize?: number;
  readonly consoleSize?: readonly [number, number];
}

/** A place of its own to run containers in: rootfs of busybox, run folder, cgroup parent. Leaves nothing behind. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'wrt-'));
  readonly runFolder = join(this.folder, 'run');
  readonly binary: string;
  readonly exits: TaskExit[] = [];
  /** The runtime under test; replaced by reconnect(). */
  runtime: Runtime;
  readonly #cgroup = `/wharf-test-${basename(this.folder)}`;
  readonly #onExit: ((exit: TaskExit) => void)[] = [];

  private constructor(binary: string) {
    this.binary = binary;
    this.#makeRootfs();
    this.runtime = this.#open();
  }

  static async open(binary: string): Promise<Bench> {
    prepareCgroups();
    const bench = new Bench(binary);
    await bench.start();
    return bench;
  }

  /** Connects the current runtime and listens to exits. */
  async start(): Promise<void> {
    await this.runtime.start();
    this.runtime.onExit((exit) => {
      this.exits.push(exit);
      for (const check of [...this.#onExit]) check(exit);
      return Promise.resolve();
    });
  }

  /** The daemon is gone and another one comes; what happens in between is `meanwhile`. */
  async reconnect(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await this.runtime[Symbol.asyncDispose]();
    await meanwhile();
    this.runtime = this.#open();
    await this.start();
  }

  /** A container's options with its bundle written. */
  container(containerId: string, args: readonly string[], options: ContainerOptions = {}): RunOptions {
    const bundle = join(this.folder, 'bundles', containerId);
    mkdirSync(bundle, { recursive: true });
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(this.#spec(containerId, args, options)));
    const log = {
      driver: 'json-file',
      path: join(bundle, 'log'),
      maxSize: options.logMaxSize,
      maxFiles: 3,
    } as const;
    const { tty = false, openStdin = false, stdinOnce = false, consoleSize } = options;
    return { containerId, bundle, tty, openStdin, stdinOnce, log, ...(consoleSize ? { consoleSize } : {}) };
  }

  exec(
    containerId: string,
    execId: string,
    args: readonly string[],
    options: ContainerOptions = {},
  ): ExecOptions {
    const { tty = false, openStdin = false, consoleSize } = options;
    const process = { ...this.#process(args, options) };
    return { containerId, execId, process, tty, openStdin, ...(consoleSize ? { consoleSize } : {}) };
  }

  /** The exit of a task, past or to come. */
  async exitOf(containerId: string, execId?: string): Promise<TaskExit> {
    const matches = (exit: TaskExit): boolean => exit.containerId === containerId && exit.execId === execId;
    const past = this.exits.findLast(matches);
    if (past) return past;
    const { promise, resolve, reject } = Promise.withResolvers<TaskExit>();
    const check = (exit: TaskExit): void => {
      if (matches(exit)) resolve(exit);
    };
    this.#onExit.push(check);
    const timer = setTimeout(() => reject(new Error(`${containerId} ${execId ?? ''} does not end`)), 15_000);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#onExit.splice(this.#onExit.indexOf(check), 1);
    }
  }

  /** Runs to the end: output, log and exit. */
  async complete(
    containerId: string,
    args: readonly string[],
    options: ContainerOptions & { input?: string } = {},
  ): Promise<{ output: Output; exit: TaskExit; log: string[] }> {
    const container = this.container(containerId, args, options);
    const stream = await this.runtime.attach({ containerId, stdin: true, stdout: true, stderr: true });
    const output = new Output(stream, options.tty ?? false);
    if (options.input !== undefined) stream.end(options.input);
    await this.runtime.run(container);
    const exit = await this.exitOf(containerId);
    await output.ended;
    stream.destroy();
    return { output, exit, log: this.logOf(containerId) };
  }

  logOf(containerId: string): string[] {
    const text = readFileSync(join(this.folder, 'bundles', containerId, 'log'), 'utf8').trimEnd();
    return text === '' ? [] : text.split('\n').map((line) => (JSON.parse(line) as { log: string }).log);
  }

  get supervisorPid(): number {
    const log = readFileSync(join(this.runFolder, 'supervisor.log'), 'utf8');
    const ready = log.split('\n').filter((line) => line.includes('supervisor ready'));
    return (JSON.parse(ready.at(-1) ?? '{}') as { pid: number }).pid;
  }

  /** What the supervisor holds: open descriptors by target, and its children. */
  census(): { fds: number; children: number; cgroups: number; files: string[] } {
    const pid = this.supervisorPid;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return {
      fds: readdirSync(`/proc/${pid}/fd`).length,
      children: children.length,
      cgroups: this.#cgroupFolders().length,
      files: readdirSync(join(this.runFolder, 'tasks')),
    };
  }

  /** SIGKILL to the supervisor; resolves when it is gone. */
  async killSupervisor(): Promise<void> {
    const pid = this.supervisorPid;
    process.kill(pid, 'SIGKILL');
    await eventually(() => processStartTicks(pid) === undefined);
  }

  /** Whether a process has ended, as a zombie perhaps. */
  isGone(pid: number): boolean {
    return processStartTicks(pid) === undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const ids = new Set((await this.runtime.list()).map(({ containerId }) => containerId));
      for (const id of ids) await this.runtime.delete(id);
      const pid = this.supervisorPid;
      await this.runtime[Symbol.asyncDispose]();
      await eventually(() => processStartTicks(pid) === undefined);
    } finally {
      this.#parentCgroup().remove();
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  #open(): Runtime {
    return createCrunRuntime({
      runFolder: this.runFolder,
      binary: this.binary,
      ociRoot: join(this.runFolder, 'oci'),
      node: process.execPath,
      script,
      logger: silentLogger,
    });
  }

  #parentCgroup(): Cgroup {
    return new Cgroup(readCgroupHost(), this.#cgroup);
  }

  #cgroupFolders(): string[] {
    return this.#parentCgroup()
      .folders()
      .flatMap((folder) => {
        try {
          return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
            entry.isDirectory() ? [entry.name] : [],
          );
        } catch {
          return [];
        }
      });
  }

  #makeRootfs(): void {
    const bin = join(this.folder, 'rootfs/bin');
    mkdirSync(bin, { recursive: true });
    mkdirSync(join(this.folder, 'rootfs/tmp'), { mode: 0o777 });
    copyFileSync('/bin/busybox', join(bin, 'busybox'));
    for (const name of [
      'sh',
      'cat',
      'echo',
      'sleep',
      'stty',
      'true',
      'head',
      'tr',
      'seq',
      'yes',
      'id',
      'dd',
      'tail',
    ]) {
      symlinkSync('busybox', join(bin, name));
    }
    writeFileSync(join(this.folder, 'rootfs/tmp/plain'), 'no program', { mode: 0o644 });
  }

  #process(
    args: readonly string[],
    { tty = false, cwd = '/', uid = 0, consoleSize }: ContainerOptions,
  ): object {
    const caps = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID', 'CAP_SETGID'];
    const size = consoleSize ? { consoleSize: { height: consoleSize[0], width: consoleSize[1] } } : {};
    return {
      terminal: tty,
      ...size,
      user: { uid, gid: 0 },
      args,
      env: ['PATH=/bin'],
      cwd,
      capabilities: { bounding: caps, effective: caps, permitted: caps },
    };
  }

  #spec(containerId: string, args: readonly string[], options: ContainerOptions): object {
    return {
      ociVersion: '1.0.2',
      process: this.#process(args, options),
      root: { path: join(this.folder, 'rootfs') },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        {
          destination: '/dev',
          type: 'tmpfs',
          source: 'tmpfs',
          options: ['nosuid', 'mode=755', 'size=65536k'],
        },
        {
          destination: '/dev/pts',
          type: 'devpts',
          source: 'devpts',
          options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
        },
      ],
      linux: {
        cgroupsPath: `${this.#cgroup}/${containerId}`,
        namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
        resources: options.resources ?? {},
      },
    };
  }
}

/** What an attachment delivers, taken apart. */
export class Output {
  stdout = '';
  stderr = '';
  ended: Promise<void>;
  #rest = Buffer.alloc(0);

  constructor(stream: Duplex, tty: boolean) {
    this.ended = new Promise((resolve, reject) => {
      stream.on('end', resolve);
      stream.on('error', reject);
    });
    stream.on('data', (chunk: Buffer) => {
      if (tty) this.stdout += chunk.toString('latin1');
      else this.#frames(chunk);
    });
  }

  #frames(chunk: Buffer): void {
    let data = Buffer.concat([this.#rest, chunk]);
    while (data.length >= 8 && data.length >= 8 + data.readUInt32BE(4)) {
      const end = 8 + data.readUInt32BE(4);
      const text = data.subarray(8, end).toString('latin1');
      if (data[0] === 1) this.stdout += text;
      else this.stderr += text;
      data = data.subarray(end);
    }
    this.#rest = data;
  }
}

/** Looks until it is so, for at most fifteen seconds. */
export async function eventually(look: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`it did not come about: ${look.toString()}`);
    await delay(5);
  }
}
