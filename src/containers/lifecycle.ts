import { conflict, EngineError, internal, isKind, Limiter, messageOf } from '#kernel';
import type { TaskExit } from '#runtime';
import { memoryFacts } from './cause/memory-facts.ts';
import { noFacts, type RunFacts, type StartFacts } from './cause/run-facts.ts';
import { examineExit, examineStart } from './cause/start-problem.ts';
import type { ContainerContext } from './context.ts';
import type { ContainerRecord, Exited } from './container-record.ts';
import { awaitLinked } from './links.ts';
import { restartDelay } from './restart-policy.ts';
import { launch, releaseRoot, releaseRun } from './start/launch.ts';
import { transition } from './state-machine.ts';
import { Termination, type StopOptions } from './termination.ts';
import type { WaitResult } from './waiters.ts';

/** Starts at once; on two cores more only get in each other's way. */
const parallelStarts = 2;

const unknownExit = 'exit code unknown: the supervisor was killed while the container ran';

/** What a wait answers for a container that has exited. An exit nobody saw is 255 with an error, never 0. */
export function waitResult(exit: Exited): WaitResult {
  const statusCode = exit.exitCode ?? 255;
  return exit.error === undefined ? { statusCode } : { statusCode, error: exit.error };
}

/** What the owner adds to the life cycle. */
export interface LifecycleHooks {
  /** Removes a container whose AutoRemove is on and whose run has been released; lock held. */
  autoRemove(record: ContainerRecord): Promise<void>;
  /** A run has begun. */
  started(record: ContainerRecord): void;
  /** A run was paused, or goes on. */
  frozen(record: ContainerRecord, frozen: boolean): void;
}

/** What a start sets anew, once it has come to an end. */
type Begun = Required<Pick<ContainerRecord, 'restartCount' | 'stoppedByUser' | 'run'>>;

/** From created to running to exited and back: start, stop, kill, pause, exits and restarts. */
export class Lifecycle {
  readonly #ctx: ContainerContext;
  readonly #starts = new Limiter(parallelStarts);
  readonly #restarts = new Map<string, NodeJS.Timeout>();
  readonly #lastDelay = new Map<string, number>();
  /** Their next start is no restart. */
  readonly #atBoot = new Set<string>();
  readonly #hooks: LifecycleHooks;
  readonly termination: Termination;

  constructor(ctx: ContainerContext, hooks: LifecycleHooks) {
    this.#ctx = ctx;
    this.#hooks = hooks;
    this.termination = new Termination(ctx, this);
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
    await this.#startLocked(record, { restartCount: 0, stoppedByUser: false, run: noFacts });
  }

  async #startLocked(record: ContainerRecord, begun: Begun): Promise<void> {
    const ctx = this.#ctx;
    let facts: StartFacts | undefined;
    try {
      await awaitLinked(ctx, record);
      const { pid, startedAt } = await this.#starts.run(() =>
        launch(ctx, record, (error) => {
          facts = examineStart(ctx, record, error);
        }),
      );
      // Not the record of before: its links are settled without this lock, as others come and go.
      const next = ctx.update(ctx.store.get(record.id), {
        ...begun,
        state: transition(record.state, { type: 'started', pid, at: startedAt }),
      });
      ctx.publish(next, 'start');
      this.#hooks.started(next);
    } catch (error) {
      await this.#startFailed(record, begun, error, facts);
      throw error;
    }
  }

  async #startFailed(
    record: ContainerRecord,
    begun: Begun,
    error: unknown,
    facts: StartFacts | undefined,
  ): Promise<void> {
    const ctx = this.#ctx;
    const message = messageOf(error);
    const failure = { message, exitCode: failureCode(message) };
    const event = { type: 'startFailed', failure, at: ctx.options.clock.now() } as const;
    const failed = ctx.update(ctx.store.get(record.id), {
      ...begun,
      state: transition(record.state, event),
      run: { ...noFacts, ...(facts && { failure: facts }) },
    });
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
    const next = ctx.update(record, { state, run: this.#runFacts(record, exit) });
    await releaseRun(ctx, next);
    await this.#afterExit(ctx.store.get(id), record.state.startedAt);
    if (ctx.store.find(id)) await releaseRoot(ctx, next);
  }

  /** What `why` will want to know of a run that did not end well, as long as the kernel still knows it. */
  #runFacts(record: ContainerRecord, exit: TaskExit): RunFacts {
    const facts = record.run ?? noFacts;
    const fine = exit.state.exitCode === 0 && !exit.oomKilled;
    if (fine || record.hostConfig.AutoRemove || record.state.status !== 'running') return facts;
    const { exitCode, exitedAt } = exit.state;
    const failure = examineExit(this.#ctx, record, { exitCode, ranFor: exitedAt - record.state.startedAt });
    return { ...facts, memory: memoryFacts(this.#ctx, record), ...(failure && { failure }) };
  }

  /** Decides on a restart, then tells: who hears of the death finds the container in its next state. */
  async #afterExit(record: ContainerRecord, startedAt: bigint): Promise<void> {
    if (record.state.status !== 'exited') return;
    const ctx = this.#ctx;
    const { exitCode, finishedAt } = record.state;
    const ranFor = finishedAt - startedAt;
    const delay = ctx.stopping ? undefined : this.#restartDelay(record, ranFor);
    const next = delay === undefined ? record : this.planRestart(record, delay);
    if (this.termination.takeStop(record.id)) ctx.publish(next, 'stop');
    ctx.publish(next, 'die', {
      exitCode: String(exitCode ?? 255),
      execDuration: String(ranFor / 1_000_000_000n),
      ...(delay !== undefined && endedUnhealthy(record) && { restartCause: 'unhealthy' }),
    });
    ctx.waiters.exited(record.id, waitResult(record.state));
    if (delay === undefined && record.hostConfig.AutoRemove) await this.#hooks.autoRemove(record);
  }

  #restartDelay(record: ContainerRecord, ranFor: bigint): number | undefined {
    if (record.state.status !== 'exited') return undefined;
    return restartDelay(record.hostConfig.RestartPolicy ?? {}, {
      exitCode: record.state.exitCode,
      ranFor,
      restartCount: record.restartCount,
      stoppedByUser: record.stoppedByUser,
      endedUnhealthy: endedUnhealthy(record),
      wasHealthy: record.run?.wasHealthy ?? false,
      lastDelay: this.#lastDelay.get(record.id) ?? 0,
    });
  }

  /** Moves an exited container to `restarting`; the start follows after `delay` milliseconds. Lock held. */
  planRestart(record: ContainerRecord, delay: number): ContainerRecord {
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
    return planned;
  }

  /** Goes on with a plan of an earlier daemon, at the time and with the back-off that it had. Lock held. */
  resumeRestart(
    record: ContainerRecord,
    { restartAt, last }: Extract<ContainerRecord['state'], { status: 'restarting' }>,
  ): void {
    const now = this.#ctx.options.clock.now();
    this.planRestart(record, restartAt > now ? Number((restartAt - now) / 1_000_000n) : 0);
    this.#lastDelay.set(record.id, Number((restartAt - last.finishedAt) / 1_000_000n));
  }

  /** Starts a container that is down because the daemon or the host was; its restarts are counted anew. Lock held. */
  startAtBoot(record: ContainerRecord): void {
    const counted = this.#ctx.update(record, { restartCount: 0, stoppedByUser: false });
    this.planRestart(counted, 0);
    this.#lastDelay.delete(record.id);
    this.#atBoot.add(record.id);
  }

  /** Ends a run whose health is lost; the exit then plans the next one. */
  async restartUnhealthy(record: ContainerRecord): Promise<void> {
    if (record.state.status !== 'running' || this.#ctx.stopping) return;
    await this.termination.stopUnhealthy(record);
  }

  async #restart(id: string): Promise<void> {
    const ctx = this.#ctx;
    await using _lock = await ctx.locks.acquire(id);
    const record = ctx.store.find(id);
    const first = this.#atBoot.delete(id);
    if (record?.state.status !== 'restarting' || ctx.stopping) return;
    try {
      const run = { ...noFacts, ...(endedUnhealthy(record) && { afterUnhealthy: true }) };
      const restartCount = record.restartCount + (first ? 0 : 1);
      await this.#startLocked(record, { restartCount, stoppedByUser: record.stoppedByUser, run });
    } catch (error) {
      ctx.options.logger.warn({ container: id, error: messageOf(error) }, 'a restart failed');
    }
  }

  #forgetRestart(id: string): void {
    clearTimeout(this.#restarts.get(id));
    this.#restarts.delete(id);
    this.#atBoot.delete(id);
  }

  /** A container between two runs simply stays down. True if there was such a plan. */
  async cancelRestart(id: string): Promise<boolean> {
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

  async restart(ref: string, options: StopOptions): Promise<void> {
    const { id } = this.#ctx.store.get(ref);
    try {
      await this.termination.stop(id, { ...options, by: 'restart' });
    } catch (error) {
      if (!isKind(error, 'notModified')) throw error;
    }
    await this.start(id, options);
    this.#ctx.publish(this.#ctx.store.get(id), 'restart');
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
    if (type === 'resumed' && !paused) throw internal(`Container ${id} is not paused`);
    if (state.status !== 'running') throw conflict(`container ${id} is not running`);
    if (type === 'paused' && paused) throw conflict(`Container ${id} is already paused`);
    if (type === 'paused') await ctx.options.runtime.pause(id);
    else await ctx.options.runtime.resume(id);
    // Signals may have been noted meanwhile.
    const next = ctx.update(ctx.store.get(id), { state: transition(state, { type }) });
    ctx.publish(next, type === 'paused' ? 'pause' : 'unpause');
    this.#hooks.frozen(next, type === 'paused');
  }

  /** Stops timers; what is planned is found again in the records at the next start. */
  close(): void {
    for (const timer of this.#restarts.values()) clearTimeout(timer);
    this.#restarts.clear();
  }
}

/** The engine itself has ended the last run for its health. */
const endedUnhealthy = ({ run, stoppedByUser }: ContainerRecord): boolean =>
  !stoppedByUser && (run?.signals.some(({ by }) => by === 'unhealthy') ?? false);

/** Docker's exit codes for a main process that never ran. */
export function failureCode(message: string): number {
  if (/executable file not found|no such file or directory|not a directory/i.test(message)) return 127;
  if (/permission denied|is a directory|exec format error/i.test(message)) return 126;
  return 128;
}
