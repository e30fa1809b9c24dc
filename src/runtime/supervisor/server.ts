import { rmSync } from 'node:fs';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { kindOf, messageOf, type Logger } from '#kernel';
import { Attachment } from './attachment.ts';
import type { KeptListeners } from './kept-listeners.ts';
import { LineSplitter } from './lines.ts';
import {
  PROTOCOL_VERSION,
  taskKey,
  type AttachRequest,
  type ExitEvent,
  type Method,
  type Methods,
  type Reply,
  type Request,
} from './protocol.ts';
import type { Supervisor } from './supervisor.ts';
import { wireTask } from './task-store.ts';
import type { Task } from './task.ts';

/** How long ending an attachment waits for the daemon to take note of the exit. */
const ACKNOWLEDGE_MS = 5000;

export interface ServerOptions {
  readonly socketPath: string;
  /** How often this process has replaced its program. */
  readonly generation: number;
  readonly logger: Logger;
  readonly listeners: KeptListeners;
  /** Replaces this program; returns only by throwing. `busy`: requests are still being worked on. */
  readonly upgrade: (program: string, args: readonly string[], busy: () => boolean) => Promise<never>;
  /** The daemon has left for good, or for long, and there are no tasks. */
  readonly idle: () => void;
}

type Handlers = {
  [M in Method]: (
    params: Methods[M]['params'],
    connection: Socket,
  ) => Methods[M]['result'] extends null ? unknown : Methods[M]['result'] | Promise<Methods[M]['result']>;
};

const IDLE_MS = 60_000;

/** The supervisor's socket: control connections and attach connections. */
export class Server {
  readonly #supervisor: Supervisor;
  readonly #options: ServerOptions;
  readonly #handlers: Handlers;
  readonly #connections = new Set<Socket>();
  readonly #acknowledged = new Map<string, (_: undefined) => void>();
  #net: NetServer | undefined;
  /** Requests being worked on. */
  #active = 0;
  #subscriber: Socket | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(supervisor: Supervisor, options: ServerOptions) {
    this.#supervisor = supervisor;
    this.#options = options;
    this.#handlers = this.#makeHandlers();
    supervisor.onExit = (task) => this.#tell(task);
  }

  async start(): Promise<void> {
    rmSync(this.#options.socketPath, { force: true });
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#net = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#options.socketPath, resolve);
    });
    this.#armIdle();
  }

  stop(): void {
    clearTimeout(this.#idleTimer);
    this.#net?.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #accept(socket: Socket): void {
    const first = new LineSplitter();
    const onData = (chunk: Buffer): void => {
      const begun = first.pushFirst(chunk);
      if (!begun) return;
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('error', onError);
      socket.pause();
      this.#begin(socket, begun.line, begun.rest);
    };
    const onEnd = (): void => void socket.destroy();
    const onError = (): void => void socket.destroy();
    socket.on('data', onData).on('end', onEnd).on('error', onError);
  }

  #begin(socket: Socket, line: string, rest: Buffer): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      socket.destroy();
      return;
    }
    if (typeof message === 'object' && message !== null && 'attach' in message) {
      if (rest.length > 0) socket.unshift(rest);
      socket.write('{}\n');
      // The daemon is the only client, and is of our version or asks for an upgrade first.
      this.#supervisor.attach(new Attachment(socket, (message as AttachRequest).attach));
      return;
    }
    this.#control(socket, message as Request, rest);
  }

  #control(socket: Socket, first: Request, rest: Buffer): void {
    clearTimeout(this.#idleTimer);
    this.#options.listeners.attended();
    this.#connections.add(socket);
    const lines = new LineSplitter();
    const take = (chunk: Buffer): void => {
      try {
        for (const line of lines.push(chunk)) void this.#handle(socket, JSON.parse(line) as Request);
      } catch (error) {
        this.#options.logger.error({ error: messageOf(error) }, 'control connection sent rubbish');
        socket.destroy();
      }
    };
    socket.on('data', take);
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#connections.delete(socket);
      if (this.#subscriber === socket) this.#unsubscribe();
      if (this.#connections.size > 0) return;
      this.#options.listeners.unattended();
      this.#armIdle();
    });
    void this.#handle(socket, first);
    if (rest.length > 0) take(rest);
    socket.resume();
  }

  async #handle(socket: Socket, request: Request): Promise<void> {
    const { id, method } = request;
    let reply: Reply;
    this.#active += 1;
    try {
      // The type of a request ties method and parameters together, which the compiler cannot follow here.
      const handler = this.#handlers[method] as (params: unknown, connection: Socket) => unknown;
      reply = { id, result: (await handler(request.params, socket)) ?? null };
    } catch (error) {
      reply = { id, error: { kind: kindOf(error), message: messageOf(error) } };
    } finally {
      this.#active -= 1;
    }
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
  }

  #makeHandlers(): Handlers {
    const supervisor = this.#supervisor;
    const { listeners } = this.#options;
    return {
      hello: () => ({
        version: PROTOCOL_VERSION,
        pid: process.pid,
        generation: this.#options.generation,
      }),
      run: (options) => supervisor.run(options),
      exec: (options) => supervisor.exec(options),
      kill: ({ signal, ...name }) => {
        supervisor.kill(name, signal);
      },
      resize: ({ rows, columns, ...name }) => {
        supervisor.resize(name, rows, columns);
      },
      pause: (name) => supervisor.freeze(name, true),
      resume: (name) => supervisor.freeze(name, false),
      pids: (name) => supervisor.pids(name),
      list: () => supervisor.list(),
      delete: ({ containerId }) => supervisor.delete(containerId),
      deleteExec: (name) => {
        supervisor.deleteExec(name);
      },
      subscribe: (_, socket) => {
        this.#subscribe(socket);
      },
      acknowledge: ({ exitedAt, ...name }) => {
        supervisor.acknowledge(name, exitedAt);
        this.#acknowledged.get(taskKey(name))?.(undefined);
      },
      upgrade: ({ program, args }) => this.#options.upgrade(program, args, () => this.#active > 1),
      keepListener: ({ path, pid, fd }) => {
        listeners.keep(path, pid, fd);
      },
      listeners: () => listeners.takeUp(),
      dropListener: ({ path }) => {
        listeners.drop(path);
      },
      release: () => {
        listeners.rest();
        if (supervisor.tasks.size === 0) setImmediate(this.#options.idle);
      },
    };
  }

  #subscribe(socket: Socket): void {
    this.#subscriber = socket;
    for (const task of this.#supervisor.unacknowledged()) this.#send(socket, task);
  }

  #unsubscribe(): void {
    this.#subscriber = undefined;
    for (const resolve of this.#acknowledged.values()) resolve(undefined);
  }

  async #tell(task: Task): Promise<void> {
    const socket = this.#subscriber;
    if (!socket) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, ACKNOWLEDGE_MS, undefined);
    this.#acknowledged.set(task.key, resolve);
    this.#send(socket, task);
    await promise;
    clearTimeout(timer);
    this.#acknowledged.delete(task.key);
  }

  #send(socket: Socket, task: Task): void {
    const exit = wireTask(task.record);
    if (exit) socket.write(`${JSON.stringify({ exit } satisfies ExitEvent)}\n`);
  }

  #armIdle(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.#connections.size > 0) return;
      if (this.#supervisor.tasks.size === 0) this.#options.idle();
      else this.#armIdle();
    }, IDLE_MS);
  }
}
