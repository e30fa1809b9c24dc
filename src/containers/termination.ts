import { conflict, EngineError, isKind, prefixErrors, unavailable } from '#kernel';
import { withSignal, type SentSignal, type SignalSender } from './cause/run-facts.ts';
import type { ContainerContext } from './context.ts';
import type { ContainerRecord } from './container-record.ts';
import { settlesWithin } from './settles-within.ts';
import { parseSignal } from './signals.ts';

/** Milliseconds that a killed container may take to end. */
const killDeadline = 10_000;
const kill = parseSignal('KILL');

export interface StopOptions {
  readonly stopSignal?: string;
  /** Seconds; -1: for ever; undefined: the container's own. */
  readonly timeout?: number;
  readonly signal: AbortSignal;
}

/** What the end of a container needs of the rest of its life. */
export interface LifecycleSteps {
  /** A container between two runs simply stays down. True if there was such a plan. */
  cancelRestart(id: string): Promise<boolean>;
  unpause(ref: string): Promise<void>;
}

/** Ends running containers: stop, kill, and what else asks for an end. Each signal is noted in the record with its sender. */
export class Termination {
  readonly #ctx: ContainerContext;
  readonly #steps: LifecycleSteps;
  /** Containers whose stop is under way; the exit tells of it before it tells of the death, as Docker does. */
  readonly #stopping = new Set<string>();

  constructor(ctx: ContainerContext, steps: LifecycleSteps) {
    this.#ctx = ctx;
    this.#steps = steps;
  }

  async stop(ref: string, options: StopOptions & { readonly by?: 'stop' | 'restart' }): Promise<void> {
    const { id } = this.#ctx.store.get(ref);
    if (await this.#steps.cancelRestart(id)) {
      const stopped = this.#ctx.store.find(id);
      if (stopped) this.#ctx.publish(stopped, 'stop');
      return;
    }
    const record = this.#ctx.store.get(id);
    if (record.state.status !== 'running') {
      throw new EngineError('notModified', `container ${record.id} is not running`);
    }
    const signal = options.stopSignal ? parseSignal(options.stopSignal) : stopSignalOf(record);
    const timeout = options.timeout ?? record.config.StopTimeout ?? 10;
    this.#markStopped(record.id);
    await this.#terminate(record, { signal, timeout, by: options.by ?? 'stop', abort: options.signal });
  }

  /** Takes note that a stop has reached its end; true if there was one. */
  takeStop(id: string): boolean {
    return this.#stopping.delete(id);
  }

  /** The daemon is ending and takes its containers along: nobody has stopped them, so policies start them again. */
  async stopForShutdown(record: ContainerRecord, abort: AbortSignal): Promise<void> {
    if (record.state.status !== 'running') return;
    const timeout = record.config.StopTimeout ?? 10;
    await this.#terminate(record, { signal: stopSignalOf(record), timeout, by: 'shutdown', abort });
  }

  /** The container is unhealthy and is to be started anew: its exit finds out by the sender of the signal. */
  async stopUnhealthy(record: ContainerRecord): Promise<void> {
    const timeout = record.config.StopTimeout ?? 10;
    const abort = this.#ctx.options.signal;
    await this.#terminate(record, { signal: stopSignalOf(record), timeout, by: 'unhealthy', abort });
  }

  async kill(ref: string, killSignal: string): Promise<void> {
    const { id, signal } = prefixErrors(`cannot kill container: ${ref}: `, () => ({
      id: this.#ctx.store.get(ref).id,
      signal: killSignal === '' ? kill : parseSignal(killSignal),
    }));
    if (await this.#steps.cancelRestart(id)) return;
    const record = this.#ctx.store.get(id);
    if (record.state.status !== 'running') {
      throw conflict(`cannot kill container: ${ref}: container ${record.id} is not running`);
    }
    const ends = signal === kill || signal === stopSignalOf(record);
    if (ends) this.#markStopped(record.id);
    this.#note(id, { signal, by: 'kill' });
    await this.#ctx.options.runtime.kill(record.id, signal);
    this.#ctx.publish(record, 'kill', { signal: String(signal) });
    if (record.state.paused && ends) await this.#unpause(record.id);
  }

  /** Kills and waits until the exit has been handled; for a forced removal. */
  async killAndWait(record: ContainerRecord): Promise<void> {
    this.#markStopped(record.id);
    const timeout = killDeadline / 1000;
    const abort = new AbortController().signal;
    await this.#terminate(record, { signal: kill, timeout, by: 'remove', abort });
  }

  async #terminate(
    record: ContainerRecord,
    how: {
      readonly signal: number;
      readonly timeout: number;
      readonly by: SignalSender;
      readonly abort: AbortSignal;
    },
  ): Promise<void> {
    const { signal, timeout, by, abort } = how;
    const ended = this.#ctx.waiters.add(record.id, 'not-running', abort);
    // The rejection is awaited below; until then nobody listens.
    ended.catch(() => undefined);
    if (by !== 'remove') this.#stopping.add(record.id);
    try {
      await this.#send(record, { signal, by });
      if (record.state.status === 'running' && record.state.paused) await this.#unpause(record.id);
      if (timeout < 0) await ended;
      else if (!(await settlesWithin(ended, timeout * 1000))) await this.#force(record, by, timeout, ended);
    } finally {
      this.#stopping.delete(record.id);
    }
  }

  async #force(
    record: ContainerRecord,
    by: SignalSender,
    after: number,
    ended: Promise<unknown>,
  ): Promise<void> {
    await this.#send(record, { signal: kill, by, after });
    if (await settlesWithin(ended, killDeadline)) return;
    throw unavailable(
      `cannot stop container: ${record.id}: tried to kill container, but did not receive an exit event within ${killDeadline / 1000} s: its processes are likely blocked in the kernel`,
    );
  }

  async #send(record: ContainerRecord, sent: Omit<SentSignal, 'at'>): Promise<void> {
    this.#note(record.id, sent);
    try {
      await this.#ctx.options.runtime.kill(record.id, sent.signal);
      this.#ctx.publish(record, 'kill', { signal: String(sent.signal) });
    } catch (error) {
      if (!isKind(error, 'notFound')) throw error;
    }
  }

  /** Before it is sent, so that the exit finds it. One that removes itself is asked for its reasons by nobody. */
  #note(id: string, sent: Omit<SentSignal, 'at'>): void {
    const record = this.#ctx.store.find(id);
    if (!record || (record.hostConfig.AutoRemove && sent.by !== 'unhealthy')) return;
    this.#ctx.update(record, { run: withSignal(record.run, { ...sent, at: this.#ctx.options.clock.now() }) });
  }

  async #unpause(id: string): Promise<void> {
    await this.#steps.unpause(id).catch((error: unknown) => {
      // It has ended, or somebody else was faster.
      const { state } = this.#ctx.store.find(id) ?? {};
      if (state?.status === 'running' && state.paused) throw error;
    });
  }

  #markStopped(id: string): void {
    const record = this.#ctx.store.find(id);
    if (record && !record.stoppedByUser) this.#ctx.update(record, { stoppedByUser: true });
  }
}

const stopSignalOf = ({ config }: ContainerRecord): number => parseSignal(config.StopSignal || 'SIGTERM');
