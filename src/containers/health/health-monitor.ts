import type { Duplex } from 'node:stream';
import type { HealthcheckResult } from '#api/types';
import { formatTime, isKind, messageOf } from '#kernel';
import type { ContainerContext } from '../context.ts';
import { noFacts } from '../cause/run-facts.ts';
import type { ContainerRecord, HealthRecord } from '../container-record.ts';
import type { Execs } from '../execs.ts';
import { afterResult, goDuration, healthCheckOf, startingHealth, type HealthCheck } from './health-check.ts';

/** Bytes of a check's output that are kept. */
const outputLimit = 4096;
const frameHeader = 8;

/** Runs the checks of running containers and keeps their health up to date. */
export class HealthMonitor {
  readonly #ctx: ContainerContext;
  readonly #execs: Execs;
  readonly #lost: (record: ContainerRecord) => Promise<void>;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** `lost` is called for containers that are to be restarted when their health is lost. */
  constructor(ctx: ContainerContext, execs: Execs, lost: (record: ContainerRecord) => Promise<void>) {
    this.#ctx = ctx;
    this.#execs = execs;
    this.#lost = lost;
  }

  /** The container has started. Its record comes back with a health, if it has a check. */
  begin(record: ContainerRecord): void {
    const check = healthCheckOf(record.config);
    if (!check) return;
    this.#ctx.update(record, { health: startingHealth(record.health) });
    this.#plan(record.id, check);
  }

  /** The container was running already when the daemon started, or runs on after a pause. */
  resume(record: ContainerRecord): void {
    const check = healthCheckOf(record.config);
    if (check) this.#plan(record.id, check);
  }

  /** The container's run is over, or pauses. As in Docker it counts as unhealthy until a check succeeds again. */
  end(id: string): void {
    this.#forget(id);
    const record = this.#ctx.store.find(id);
    if (!record?.health || record.health.status === 'unhealthy') return;
    this.#ctx.update(record, { health: { ...record.health, status: 'unhealthy' } });
  }

  /** Stops checking; what is known of the health stays. */
  close(): void {
    for (const id of [...this.#timers.keys()]) this.#forget(id);
  }

  #forget(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  #plan(id: string, check: HealthCheck): void {
    this.#forget(id);
    const record = this.#ctx.store.find(id);
    if (record?.state.status !== 'running' || record.state.paused || this.#ctx.stopping) return;
    const delay = this.#isStarting(record, check) ? check.startInterval : check.interval;
    this.#timers.set(
      id,
      setTimeout(() => void this.#check(id, check), delay),
    );
  }

  #isStarting({ state, health }: ContainerRecord, check: HealthCheck): boolean {
    if (state.status !== 'running' || health?.status !== 'starting') return false;
    return this.#ctx.options.clock.now() - state.startedAt < BigInt(Math.round(check.startPeriod * 1e6));
  }

  async #check(id: string, check: HealthCheck): Promise<void> {
    const before = this.#ctx.store.find(id);
    if (before?.state.status !== 'running') return;
    if (before.state.paused) return;
    const starting = this.#isStarting(before, check);
    const result = await this.#probe(id, check);
    const record = this.#ctx.store.find(id);
    // A result that outlived its run, or came in a pause, says nothing.
    if (record?.state.status !== 'running' || record.state.paused) return;
    if (record.state.startedAt !== before.state.startedAt) return;
    const health = afterResult(record.health ?? startingHealth(undefined), result, check, starting);
    const next = this.#ctx.update(record, { health, ...this.#markHealthy(record, health) });
    if (health.status !== record.health?.status) this.#ctx.publish(next, `health_status: ${health.status}`);
    if (next.hostConfig.RestartUnhealthy && health.failingStreak >= check.retries) await this.#giveUp(next);
    this.#plan(id, check);
  }

  /** A run that was healthy may count its restarts anew. */
  #markHealthy({ run, hostConfig }: ContainerRecord, health: HealthRecord): Partial<ContainerRecord> {
    if (!hostConfig.RestartUnhealthy || health.status !== 'healthy' || run?.wasHealthy) return {};
    return { run: { ...(run ?? noFacts), wasHealthy: true } };
  }

  async #giveUp(record: ContainerRecord): Promise<void> {
    await this.#lost(record).catch((error: unknown) => {
      const fields = { container: record.id, error: messageOf(error) };
      this.#ctx.options.logger.warn(fields, 'an unhealthy container could not be ended');
    });
  }

  async #probe(id: string, check: HealthCheck): Promise<HealthcheckResult> {
    const { clock } = this.#ctx.options;
    const Start = formatTime(clock.now());
    const { ExitCode, Output } = await this.#run(id, check).catch((error: unknown) => ({
      ExitCode: -1,
      Output: messageOf(error),
    }));
    return { Start, End: formatTime(clock.now()), ExitCode, Output };
  }

  async #run(id: string, check: HealthCheck): Promise<Pick<HealthcheckResult, 'ExitCode' | 'Output'>> {
    const exec = this.#execs.create(id, { Cmd: check.command, AttachStdout: true, AttachStderr: true });
    const streams = await this.#execs.start(exec, { detach: false, tty: false });
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort();
      this.#ctx.options.runtime.kill(id, 9, exec).catch((error: unknown) => {
        if (!isKind(error, 'notFound'))
          this.#ctx.options.logger.warn(
            { container: id, error: messageOf(error) },
            'a health check could not be ended',
          );
      });
    }, check.timeout);
    try {
      const Output = streams ? await outputOf(streams) : '';
      if (late.signal.aborted) {
        return {
          ExitCode: -1,
          Output: `Health check exceeded timeout (${goDuration(check.timeout)}): ${Output}`,
        };
      }
      const { state } = this.#execs.get(exec);
      return { ExitCode: state.status === 'exited' ? state.exitCode : -1, Output };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The payload of Docker's frames, up to the limit; the rest is read and dropped, and three dots stand for it. */
async function outputOf(streams: Duplex): Promise<string> {
  let pending = Buffer.alloc(0);
  let output = Buffer.alloc(0);
  let cut = false;
  for await (const chunk of streams as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= frameHeader) {
      const end = frameHeader + pending.readUInt32BE(4);
      if (pending.length < end) break;
      const room = outputLimit - output.length;
      cut ||= end - frameHeader > room;
      if (room > 0)
        output = Buffer.concat([output, pending.subarray(frameHeader, Math.min(end, frameHeader + room))]);
      pending = pending.subarray(end);
    }
  }
  return output.toString() + (cut ? '...' : '');
}
