import { createHash } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, openSync, closeSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  client,
  clientEnvironment,
  dockerProgram,
  projectRoot,
  wharfProgram,
  type Client,
} from './clients.ts';
import { command, eventually } from './commands.ts';
import { assertNoLeaks, hostState, type HostState } from './host-state.ts';

export interface DaemonOptions {
  /** Further flags of dockerd, e.g. `--registry-mirror`, `http://127.0.0.1:5000`. */
  readonly flags?: readonly string[];
  /** Contents of its daemon.json; default: an empty one, so that the host's is not read. */
  readonly config?: object;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * An engine of one's own: data root, run folder and socket in a temporary folder, and so an instance of its own on
 * the host. Disposing it stops it, removes everything it had and asserts that nothing is left of it.
 */
export class Daemon implements AsyncDisposable {
  readonly folder: string;
  /** `unix://…` */
  readonly host: string;
  readonly socket: string;
  /** The environment in which clients reach this engine. */
  readonly env: Readonly<Record<string, string>>;
  /** The unmodified docker command line against this engine. */
  readonly docker: Client;
  /** Our command line against this engine. */
  readonly wharf: Client;
  /** The host before this engine started. */
  readonly before: HostState;
  readonly #options: DaemonOptions;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  private constructor(folder: string, before: HostState, options: DaemonOptions) {
    this.folder = folder;
    this.before = before;
    this.#options = options;
    this.socket = join(folder, 'wharf.sock');
    this.host = `unix://${this.socket}`;
    this.env = clientEnvironment(this.host, join(folder, 'client'));
    this.docker = client(dockerProgram(), this.env);
    this.wharf = client(wharfProgram(), this.env);
  }

  static async start(options: DaemonOptions = {}): Promise<Daemon> {
    const before = await hostState();
    const folder = await mkdtemp(join(tmpdir(), 'wharf-test-'));
    await mkdir(join(folder, 'client'));
    const daemon = new Daemon(folder, before, options);
    try {
      await daemon.start();
    } catch (error) {
      await daemon.#cleanUp();
      throw error;
    }
    return daemon;
  }

  get dataRoot(): string {
    return join(this.folder, 'data');
  }

  get runFolder(): string {
    return join(this.folder, 'run');
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the daemon does not run');
    return this.#process.pid;
  }

  /** What it has written to stdout and stderr, over all its starts. */
  log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8');
  }

  /** Starts the program on this data root; done when it answers. Also after stop() and kill9(). */
  async start(): Promise<void> {
    const config = join(this.folder, 'daemon.json');
    const { flags = [], env = {}, config: settings = {} } = this.#options;
    await writeFile(config, JSON.stringify(settings));
    const args = ['--data-root', this.dataRoot, '--exec-root', this.runFolder, '--config-file', config];
    args.push('--pidfile', join(this.folder, 'pid'), '-H', this.host, ...flags);
    const log = openSync(join(this.folder, 'log'), 'a');
    const node = join(projectRoot, 'node_modules/.bin/node');
    // pdeathsig: it must not outlive a killed test.
    const program = ['--pdeathsig', 'TERM', node, join(projectRoot, 'dist/wharfd.js'), ...args];
    const started = spawn('setpriv', program, {
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#process = started;
    this.#ended = new Promise((resolve) => void started.once('exit', () => resolve()));
    const ended = (): boolean => started.exitCode !== null || started.signalCode !== null;
    try {
      await eventually(async () => ended() || (await this.get('/_ping')).status === 200, { timeout: 30_000 });
    } catch (error) {
      throw new Error(`the daemon does not answer:\n${await this.log()}`, { cause: error });
    }
    if (!ended()) return;
    this.#process = undefined;
    throw new Error(
      `the daemon ended with ${started.exitCode ?? started.signalCode ?? ''}:\n${await this.log()}`,
    );
  }

  /** Ends it as a service manager does; resolves with its exit code. */
  async stop(): Promise<number | null> {
    return this.#signal('SIGTERM', 60_000);
  }

  /** Ends it as the kernel's OOM killer does. Containers and the supervisor stay. */
  async kill9(): Promise<void> {
    await this.#signal('SIGKILL', 5_000);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #signal(signal: NodeJS.Signals, limit: number): Promise<number | null> {
    const ending = this.#process;
    if (!ending) return null;
    ending.kill(signal);
    const timer = setTimeout(() => ending.kill('SIGKILL'), limit);
    await this.#ended;
    clearTimeout(timer);
    this.#process = undefined;
    if (ending.signalCode === 'SIGKILL' && signal !== 'SIGKILL') {
      throw new Error(`the daemon did not stop within ${limit} ms:\n${await this.log()}`);
    }
    return ending.exitCode;
  }

  /** GET without a client library, for exact answers. `path` without version is unversioned. */
  get(path: string): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
    return this.call('GET', path);
  }

  /** Any request; `body` is sent as JSON. */
  call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Daemon['call']>>>();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ socketPath: this.socket, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          headers: response.headers,
        }),
      );
    });
    sent.on('error', reject);
    sent.end(text);
    return promise;
  }

  /** Processes that belong to this instance: the folder is in their arguments, as for the supervisor. */
  async processes(): Promise<number[]> {
    const found = [];
    for (const name of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
      const text = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
      if (text.includes(this.folder) && Number(name) !== process.pid) found.push(Number(name));
    }
    return found;
  }

  /** The supervisor of its containers, once there is one. */
  async supervisorPid(): Promise<number> {
    for (const pid of await this.processes()) {
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (/supervisor\.(js|ts)\0/.test(text)) return pid;
    }
    throw new Error('no supervisor runs');
  }

  /** Removes all containers, so that what is left on the host is a leak. */
  async removeContainers(): Promise<void> {
    const { body } = await this.get('/containers/json?all=1');
    const listed = JSON.parse(body) as readonly { Id: string }[];
    for (const { Id } of listed) await this.call('DELETE', `/containers/${Id}?force=1&v=1`);
  }

  /** Asserts that nothing of containers is left on the host while the daemon runs on. */
  async assertIdle(idle: HostState): Promise<void> {
    await assertNoLeaks(idle, { pids: await this.#pids(), own: (line) => this.owns(line) });
  }

  /** The host as it is now, with the descriptors of daemon and supervisor: to be given to assertIdle() later. */
  async idle(): Promise<HostState> {
    return hostState(await this.#pids());
  }

  async #pids(): Promise<Record<string, number>> {
    return { daemon: this.pid, supervisor: await this.supervisorPid() };
  }

  /** The id that every name of this engine on the host carries, as src/daemon/data-root.ts makes it. */
  get instance(): string {
    return createHash('sha256').update(this.dataRoot).digest('hex').slice(0, 8);
  }

  /** Whether a mount, cgroup, rule or process is this engine's. */
  owns(line: string): boolean {
    return line.includes(this.folder) || line.includes(this.instance);
  }

  /** What a stopped engine leaves on purpose: its supervisor, its bridge with the rules, its private mounts. */
  #lasts(leak: string): boolean {
    const { folder, instance } = this;
    return (
      [`mounts: ${folder}/data (`, `mounts: ${folder}/run (`, `mounts: ${folder}/data/snapshots (`].some(
        (start) => leak.startsWith(start),
      ) ||
      leak.startsWith(`rules: inet wharf_${instance}:`) ||
      leak.startsWith(`links: wh-${instance}0 `) ||
      (leak.startsWith('cgroups: ') && leak.endsWith(`/wharf-${instance}`)) ||
      /^processes: \d+ \S*node \S*supervisor\.(js|ts) /.test(leak)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#process) {
        await this.removeContainers();
        await this.stop();
        const own = (line: string): boolean => this.owns(line);
        await assertNoLeaks(this.before, { own, lasting: (leak) => this.#lasts(leak) });
      }
    } finally {
      await this.#cleanUp();
    }
  }

  /** By force: whatever a broken engine left behind must not disturb the next test. */
  async #cleanUp(): Promise<void> {
    if (process.env['WHARF_TEST_KEEP']) return;
    if (this.#process) await this.#signal('SIGKILL', 5_000);
    for (const pid of await this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone meanwhile
      }
    }
    const mounts = (await readFile('/proc/self/mounts', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    const own = mounts.filter((path) => path.startsWith(`${this.folder}/`)).toReversed();
    for (const path of own) await command('umount', ['-l', path]);
    await command('nft', ['delete', 'table', 'inet', `wharf_${this.instance}`]);
    await command('ip', ['link', 'delete', `wh-${this.instance}0`]);
    const groups = ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/wharf-${this.instance}*`];
    await command('find', [...groups, '-exec', 'rmdir', '{}', ';']);
    if (existsSync(this.folder)) await rm(this.folder, { recursive: true, force: true });
  }
}

/** Short for Daemon.start(). */
export const startDaemon = (options?: DaemonOptions): Promise<Daemon> => Daemon.start(options);
