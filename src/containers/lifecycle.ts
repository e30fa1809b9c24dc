import { conflict, EngineError, isKind, Limiter, messageOf, prefixErrors, unavailable } from '#kernel';
import type { TaskExit } from '#runtime';
import type { ContainerContext } from './context.ts';
import type { ContainerRecord, Exited } from './container-record.ts';
import { restartDelay } from './restart-policy.ts';
import { parseSignal } from './signals.ts';
import { launch, releaseRoot, releaseRun } from './start/launch.ts';
import { transition } from './state-machine.ts';
import type { WaitResult } from './waiters.ts';

/** Starts at once; on two cores more only get in each other's way. */
const parallelStarts = 2;
const killDeadline = 10_000;

const unknownExit = 'exit code unknown: the supervisor was killed while the container ran';

/** What a wait answers for a container that has exited. An exit nobody saw is 255 with an error, never 0. */
export function waitResult(exit: Exited): WaitResult {
  const statusCode = exit.exitCode ?? 255;
  return exit.error === undefined ? { statusCode } : { statusCode, error: exit.error };
}

/** What the owner adds to the life cycle. */
export interface LifecycleHooks {
  /** Removes a container whose AutoRemove is on; lock held. */
  autoRemove(record: ContainerRecord): Promise<void>;
  /** A run has begun. */
  started(record: ContainerRecord): void;
}

/** From created to running to exited and back: start, stop, kill, pause, exits and restarts. */
export class Lifecycle {
  readonly #ctx: ContainerContext;
  readonly #starts = new Limiter(parallelStarts);
  readonly #restarts = new Map<string, NodeJS.Timeout>();
  readonly #lastDelay = new Map<string, number>();
  readonly #hooks: LifecycleHooks;

  constructor(ctx: ContainerContext, hooks: LifecycleHooks) {
    this.#ctx = ctx;
    this.#hooks = hooks;
  }

  async start(ref: string, options: { signal: AbortSignal }): Promise<void> {
    const { id } = this.#ctx.store.get(ref);
    this.#ctx.options.runtime.expectStart();
    await using _lock = await this.#ctx.locks.acquire(id, options);
    const record = this.#ctx.store.get(id);
    if (record.state.status === 'running') {
      if (record.state.paused) throw conflict('cannot start a paused container, try unpause instead');
      throw new EngineError('notModified', `container ${record.id} is already running`);
    }
    if (record.state.status === 'removing' || record.state.status === 'dead') {
      throw conflict('container is marked for removal and cannot be started');
    }
    this.#forgetRestart(id);
    this.#lastDelay.delete(id);
    await this.#startLocked({ ...record, restartCount: 0, stoppedByUser: false });
  }

  async #startLocked(record: ContainerRecord): Promise<void> {
    const ctx = this.#ctx;
    try {
      const { pid, startedAt } = await this.#starts.run(() => launch(ctx, record));
      const next = ctx.update(record, {
        state: transition(record.state, { type: 'started', pid, at: startedAt }),
      });
      ctx.publish(next, 'start');
      this.#hooks.started(next);
    } catch (error) {
      await this.#startFailed(record, error);
      throw error;
    }
  }

  async #startFailed(record: ContainerRecord, error: unknown): Promise<void> {
    const ctx = this.#ctx;
    const message = messageOf(error);
    const failure = { message, exitCode: failureCode(message) };
    const event = { type: 'startFailed', failure, at: ctx.options.clock.now() } as const;
    const failed = ctx.update(record, { state: transition(record.state, event) });
    ctx.waiters.exited(record.id, { statusCode: failure.exitCode, error: message });
    if (failed.hostConfig.AutoRemove) await this.#hooks.autoRemove(failed);
  }

  /** Handles the exit of a main process; called at least once per exit. */
  async exited(exit: TaskExit): Promise<void> {
    const ctx = this.#ctx;
    const id = exit.containerId;
    await using _lock = await ctx.locks.acquire(id);
    const record = ctx.store.find(id);
    if (record?.state.status !== 'running') {
      if (record?.state.status !== 'created') await ctx.options.runtime.delete(id);
      return;
    }
    const { exitCode, exitedAt } = exit.state;
    if (exit.oomKilled) ctx.publish(record, 'oom');
    const state = transition(record.state, {
      type: 'exited',
      exitCode,
      at: exitedAt,
      oomKilled: exit.oomKilled,
      ...(exitCode === undefined && { error: unknownExit }),
    });
    const next = ctx.update(record, { state });
    const seconds = (exitedAt - record.state.startedAt) / 1_000_000_000n;
    ctx.publish(next, 'die', { exitCode: String(exitCode ?? 255), execDuration: String(seconds) });
    await releaseRun(ctx, next);
    await this.#afterExit(next, record.state.startedAt);
    await releaseRoot(ctx, next);
  }

  async #afterExit(record: ContainerRecord, startedAt: bigint): Promise<void> {
    if (record.state.status !== 'exited') return;
    const ctx = this.#ctx;
    const { exitCode, finishedAt } = record.state;
    const delay = restartDelay(record.hostConfig.RestartPolicy ?? {}, {
      exitCode,
      ranFor: finishedAt - startedAt,
      restartCount: record.restartCount,
      stoppedByUser: record.stoppedByUser,
      lastDelay: this.#lastDelay.get(record.id) ?? 0,
    });
    const result = waitResult(record.state);
    if (delay !== undefined && !ctx.stopping) {
      this.planRestart(record, delay);
      ctx.waiters.exited(record.id, result);
      return;
    }
    ctx.waiters.exited(record.id, result);
    if (record.hostConfig.AutoRemove) await this.#hooks.autoRemove(record);
  }

  /** Moves an exited container to `restarting`; the start follows after `delay` milliseconds. Lock held. */
  planRestart(record: ContainerRecord, delay: number): void {
    const ctx = this.#ctx;
    const at = ctx.options.clock.now() + BigInt(delay) * 1_000_000n;
    const planned =
      record.state.status === 'restarting'
        ? record
        : ctx.update(record, { state: transition(record.state, { type: 'restartPlanned', at }) });
    this.#lastDelay.set(record.id, delay);
    const timer = setTimeout(() => {
      this.#restarts.delete(record.id);
      void this.#restart(planned.id);
    }, delay);
    this.#restarts.set(record.id, timer);
  }

  async #restart(id: string): Promise<void> {
    const ctx = this.#ctx;
    await using _lock = await ctx.locks.acquire(id);
    const record = ctx.store.find(id);
    if (record?.state.status !== 'restarting' || ctx.stopping) return;
    try {
      await this.#startLocked({ ...record, restartCount: record.restartCount + 1 });
    } catch (error) {
      ctx.options.logger.warn({ container: id, error: messageOf(error) }, 'a restart failed');
    }
  }

  #forgetRestart(id: string): void {
    clearTimeout(this.#restarts.get(id));
    this.#restarts.delete(id);
  }

  async stop(
    ref: string,
    options: { stopSignal?: string; timeout?: number; signal: AbortSignal },
  ): Promise<void> {
    const { id } = this.#ctx.store.get(ref);
    if (await this.#cancelRestart(id)) return;
    const record = this.#ctx.store.get(id);
    if (record.state.status !== 'running') {
      throw new EngineError('notModified', `container ${record.id} is not running`);
    }
    const signal = parseSignal(
      options.stopSignal ? options.stopSignal : (record.config.StopSignal ?? 'SIGTERM'),
    );
    const timeout = options.timeout ?? record.config.StopTimeout ?? 10;
    this.#markStopped(record.id);
    await this.#terminate(record, signal, timeout, options.signal);
    this.#ctx.publish(this.#ctx.store.find(record.id) ?? record, 'stop');
  }

  async #terminate(
    record: ContainerRecord,
    signal: number,
    timeout: number,
    abort: AbortSignal,
  ): Promise<void> {
    const ended = this.#ctx.waiters.add(record.id, 'not-running', abort);
    // The rejection is awaited below; until then nobody listens.
    ended.catch(() => undefined);
    if (record.state.status === 'running' && record.state.paused) await this.unpause(record.id);
    await this.#signal(record, signal);
    if (timeout >= 0 && (await settlesWithin(ended, timeout * 1000))) return;
    if (timeout < 0) {
      await ended;
      return;
    }
    await this.#signal(record, parseSignal('KILL'));
    if (await settlesWithin(ended, killDeadline)) return;
    throw unavailable(
      `cannot stop container: ${record.id}: tried to kill container, but did not receive an exit event within ${killDeadline / 1000} s: its processes are likely blocked in the kernel`,
    );
  }

  async #signal(record: ContainerRecord, signal: number): Promise<void> {
    try {
      await this.#ctx.options.runtime.kill(record.id, signal);
      this.#ctx.publish(record, 'kill', { signal: String(signal) });
    } catch (error) {
      if (!isKind(error, 'notFound')) throw error;
    }
  }

  #markStopped(id: string): void {
    const record = this.#ctx.store.find(id);
    if (record && !record.stoppedByUser) this.#ctx.update(record, { stoppedByUser: true });
  }

  /** A container between two runs simply stays down. True if there was such a plan. */
  async #cancelRestart(id: string): Promise<boolean> {
    const ctx = this.#ctx;
    if (ctx.store.get(id).state.status !== 'restarting') return false;
    await using _lock = await ctx.locks.acquire(id);
    const record = ctx.store.get(id);
    if (record.state.status !== 'restarting') return false;
    this.#forgetRestart(id);
    ctx.update(record, {
      state: transition(record.state, { type: 'restartCancelled' }),
      stoppedByUser: true,
    });
    ctx.waiters.exited(id, waitResult(record.state.last));
    return true;
  }

  /** The daemon is ending and takes its containers along: nobody has stopped them, so policies start them again. */
  async stopForShutdown(record: ContainerRecord, signal: AbortSignal): Promise<void> {
    if (record.state.status !== 'running') return;
    const stopSignal = parseSignal(record.config.StopSignal ? record.config.StopSignal : 'SIGTERM');
    await this.#terminate(record, stopSignal, record.config.StopTimeout ?? 10, signal);
  }

  async restart(
    ref: string,
    options: { stopSignal?: string; timeout?: number; signal: AbortSignal },
  ): Promise<void> {
    const { id } = this.#ctx.store.get(ref);
    try {
      await this.stop(id, options);
    } catch (error) {
      if (!isKind(error, 'notModified')) throw error;
    }
    await this.start(id, options);
    this.#ctx.publish(this.#ctx.store.get(id), 'restart');
  }

  async kill(ref: string, killSignal: string): Promise<void> {
    const { id, signal } = prefixErrors(`cannot kill container: ${ref}: `, () => ({
      id: this.#ctx.store.get(ref).id,
      signal: parseSignal(killSignal === '' ? 'KILL' : killSignal),
    }));
    if (await this.#cancelRestart(id)) return;
    const record = this.#ctx.store.get(id);
    if (record.state.status !== 'running') {
      throw conflict(`cannot kill container: ${ref}: container ${record.id} is not running`);
    }
    const stopSignal = parseSignal(record.config.StopSignal ? record.config.StopSignal : 'SIGTERM');
    if (signal === parseSignal('KILL') || signal === stopSignal) this.#markStopped(record.id);
    if (record.state.paused && signal === parseSignal('KILL')) await this.unpause(record.id);
    await this.#ctx.options.runtime.kill(record.id, signal);
    this.#ctx.publish(record, 'kill', { signal: String(signal) });
  }

  /** Kills and waits until the exit has been handled; for a forced removal. */
  async killAndWait(record: ContainerRecord): Promise<void> {
    this.#markStopped(record.id);
    await this.#terminate(record, parseSignal('KILL'), killDeadline / 1000, new AbortController().signal);
  }

  async pause(ref: string): Promise<void> {
    await this.#freeze(ref, 'paused');
  }

  async unpause(ref: string): Promise<void> {
    await this.#freeze(ref, 'resumed');
  }

  async #freeze(ref: string, type: 'paused' | 'resumed'): Promise<void> {
    const ctx = this.#ctx;
    const { id } = ctx.store.get(ref);
    await using _lock = await ctx.locks.acquire(id);
    const record = ctx.store.get(id);
    const { state } = record;
    const paused = state.status === 'running' && state.paused;
    if (type === 'resumed' && !paused) throw new EngineError('internal', `Container ${id} is not paused`);
    if (state.status !== 'running') throw conflict(`container ${id} is not running`);
    if (type === 'paused' && paused) throw conflict(`Container ${id} is already paused`);
    if (type === 'paused') await ctx.options.runtime.pause(id);
    else await ctx.options.runtime.resume(id);
    const next = ctx.update(record, { state: transition(state, { type }) });
    ctx.publish(next, type === 'paused' ? 'pause' : 'unpause');
  }

  /** Stops timers; what is planned is found again in the records at the next start. */
  close(): void {
    for (const timer of this.#restarts.values()) clearTimeout(timer);
    this.#restarts.clear();
  }
}

/** Docker's exit codes for a main process that never ran. */
export function failureCode(message: string): number {
  if (/executable file not found|no such file or directory/i.test(message)) return 127;
  if (/permission denied|is a directory|exec format error/i.test(message)) return 126;
  return 128;
}

async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, milliseconds);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
