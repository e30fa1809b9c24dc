import { closeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { conflict, isKind, messageOf, unavailable } from '#kernel';
import { CgroupMoves, copyDescriptor, duplicate } from '#linux';
import { LineSplitter } from '../supervisor/lines.ts';
import {
  PROTOCOL_VERSION,
  toTaskExit,
  toTaskInfo,
  type AttachRequest,
  type Method,
  type Methods,
  type WireTask,
} from '../supervisor/protocol.ts';
import type {
  AttachOptions,
  ExecOptions,
  KeptListener,
  ListenerKeeper,
  Runtime,
  RunOptions,
  TaskExit,
  TaskInfo,
} from '../runtime.ts';
import { ControlConnection } from './control-connection.ts';
import { reachSupervisor, supervisorArguments, type SupervisorLaunch } from './supervisor-process.ts';

export interface CrunRuntimeOptions extends SupervisorLaunch {
  /** Shown as the runtime's name. */
  readonly name?: string;
}

type Listener = (exit: TaskExit) => Promise<void>;

/** A Runtime whose processes live under a supervisor of their own, started with crun or runc. */
export const createCrunRuntime = (options: CrunRuntimeOptions): Runtime & ListenerKeeper =>
  new CrunRuntime(options);

const RETRY_MS = 1000;
const ATTEMPTS = 5;

class CrunRuntime implements Runtime, ListenerKeeper {
  readonly name: string;
  readonly #options: CrunRuntimeOptions;
  readonly #moves = new CgroupMoves();
  #connection: Promise<ControlConnection> | undefined;
  #listener: Listener | undefined;
  #upgrading: Promise<void> | undefined;
  /** Descriptors of our own by path: each new supervisor gets copies. */
  readonly #listeners = new Map<string, number>();
  #disposed = false;

  constructor(options: CrunRuntimeOptions) {
    this.name = options.name ?? 'crun';
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#connect();
  }

  expectStart(): void {
    this.#moves.expect();
  }

  async run(options: RunOptions): Promise<{ pid: number; startedAt: bigint }> {
    const { pid, startedAt } = await this.#request('run', options);
    return { pid, startedAt: BigInt(startedAt) };
  }

  async exec(options: ExecOptions): Promise<{ pid: number; startedAt: bigint }> {
    const { pid, startedAt } = await this.#request('exec', options);
    return { pid, startedAt: BigInt(startedAt) };
  }

  async attach(options: AttachOptions): Promise<Duplex> {
    await this.#upgrading;
    await this.#connect();
    const socket = await reachSupervisor(this.#options);
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const broken = (): void => {
      socket.destroy();
      reject(unavailable('the connection to the supervisor broke'));
    };
    const lines = new LineSplitter();
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null;
      const answer = chunk && lines.pushFirst(chunk);
      if (!answer) return;
      // Without a listener the socket neither flows nor is paused: the caller decides.
      socket.off('readable', onReadable).off('end', broken).off('error', broken);
      if (answer.rest.length > 0) socket.unshift(answer.rest);
      resolve(socket);
    };
    socket.on('readable', onReadable).on('end', broken).on('error', broken);
    socket.write(`${JSON.stringify({ attach: options } satisfies AttachRequest)}\n`);
    return promise;
  }

  async kill(containerId: string, signal: number, execId?: string): Promise<void> {
    await this.#request('kill', { containerId, execId, signal });
  }

  async resize(containerId: string, size: { rows: number; columns: number }, execId?: string): Promise<void> {
    await this.#request('resize', { containerId, execId, ...size });
  }

  async pause(containerId: string): Promise<void> {
    await this.#request('pause', { containerId });
  }

  async resume(containerId: string): Promise<void> {
    await this.#request('resume', { containerId });
  }

  pids(containerId: string): Promise<readonly number[]> {
    return this.#request('pids', { containerId });
  }

  async list(): Promise<readonly TaskInfo[]> {
    return (await this.#request('list', null)).map(toTaskInfo);
  }

  onExit(listener: Listener): void {
    if (this.#listener) throw conflict('exits already have a listener');
    this.#listener = listener;
    if (this.#connection) void this.#request('subscribe', null).catch(this.#report);
  }

  async delete(containerId: string): Promise<void> {
    await this.#request('delete', { containerId });
  }

  async deleteExec(containerId: string, execId: string): Promise<void> {
    await this.#request('deleteExec', { containerId, execId });
  }

  async keepListener(path: string, fd: number): Promise<void> {
    const copy = duplicate(fd);
    this.#forgetListener(path);
    this.#listeners.set(path, copy);
    await this.#request('keepListener', { path, pid: process.pid, fd: copy });
  }

  async keptListeners(): Promise<readonly KeptListener[]> {
    const { pid } = await this.#request('hello', { version: PROTOCOL_VERSION });
    const kept = await this.#request('listeners', null);
    return kept.map(({ path, fd }) => ({ path, fd: copyDescriptor(pid, fd) }));
  }

  async dropListener(path: string): Promise<void> {
    this.#forgetListener(path);
    await this.#request('dropListener', { path });
  }

  #forgetListener(path: string): void {
    const fd = this.#listeners.get(path);
    if (fd !== undefined) closeSync(fd);
    this.#listeners.delete(path);
  }

  async upgrade(): Promise<void> {
    await this.#upgrading;
    const upgrading = this.#upgrade();
    // Other requests wait for the new program.
    this.#upgrading = upgrading.catch(() => undefined).finally(() => (this.#upgrading = undefined));
    await upgrading;
  }

  async #upgrade(): Promise<void> {
    const connection = await this.#connect();
    const { generation } = await connection.request('hello', { version: PROTOCOL_VERSION });
    await this.#replace(connection).catch((error: unknown) => {
      // Success is that the connection breaks.
      if (connection.open) throw error;
    });
    await connection.closed;
    const next = await this.#connect();
    const now = await next.request('hello', { version: PROTOCOL_VERSION });
    if (now.generation <= generation) throw unavailable('the supervisor was not replaced');
  }

  async #replace(connection: ControlConnection): Promise<void> {
    const args = supervisorArguments(this.#options);
    await connection.request('upgrade', { program: this.#options.node, args });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const connection = await this.#connection?.catch(() => undefined);
    if (!connection) return;
    await connection.request('release', null).catch(() => undefined);
    connection.close();
    await connection.closed;
    for (const path of [...this.#listeners.keys()]) this.#forgetListener(path);
  }

  async #request<M extends Method>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']> {
    await this.#upgrading;
    const connection = await this.#connect();
    return connection.request(method, params);
  }

  #connect(): Promise<ControlConnection> {
    if (this.#disposed) return Promise.reject(unavailable('the runtime is closed'));
    this.#connection ??= this.#open().catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  async #open(): Promise<ControlConnection> {
    for (let attempt = 1; ; attempt += 1) {
      const socket = await reachSupervisor(this.#options);
      const connection = new ControlConnection(socket, (exit) => void this.#exited(connection, exit));
      try {
        await this.#greet(connection);
        void connection.closed.then(() => this.#lost());
        return connection;
      } catch (error) {
        connection.close();
        // A supervisor that is replaced just then drops who came too early.
        if (attempt === ATTEMPTS || !isKind(error, 'unavailable')) throw error;
      }
    }
  }

  async #greet(connection: ControlConnection): Promise<void> {
    const { version } = await connection.request('hello', { version: PROTOCOL_VERSION });
    // One of another version is replaced by ours, which breaks the connection: the next attempt meets it.
    if (version !== PROTOCOL_VERSION) await this.#replace(connection);
    if (this.#listener) await connection.request('subscribe', null);
    for (const [path, fd] of this.#listeners) {
      await connection.request('keepListener', { path, pid: process.pid, fd }).catch(this.#report);
    }
  }

  /** Somebody must be there to take exits, and to start a supervisor again that was killed. */
  #lost(): void {
    this.#connection = undefined;
    if (!this.#disposed) this.#connect().catch(this.#report);
  }

  async #exited(connection: ControlConnection, exit: WireTask): Promise<void> {
    while (!this.#disposed && connection.open) {
      try {
        await this.#listener?.(toTaskExit(exit));
        const { containerId, execId, exitedAt = '0' } = exit;
        await connection.request('acknowledge', { containerId, execId, exitedAt });
        return;
      } catch (error) {
        this.#report(error);
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  readonly #report = (error: unknown): void => {
    if (this.#disposed) return;
    this.#options.logger.error({ error: messageOf(error) }, 'supervisor connection failed');
  };
}
