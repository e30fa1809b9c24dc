import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '#kernel';
import type { TaskInfo } from '#runtime';
import type { ContainerContext } from './context.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Lifecycle } from './lifecycle.ts';
import { removeLocked } from './removal.ts';
import { startsAtBoot } from './restart-policy.ts';
import { bundleOf, rootOf } from './start/container-paths.ts';
import { release } from './start/launch.ts';
import { unmountRoot } from './start/root-file-system.ts';
import { adoptAnnouncements } from './start/run-events.ts';
import { containerOfSnapshot } from './held-images.ts';
import { transition } from './state-machine.ts';

/**
 * Makes the records agree with the host after a start of the daemon: what runs is adopted, what ended unseen is
 * recorded as such, what was half done is undone or finished. Exits that the supervisor still holds come later
 * through Lifecycle.exited().
 */
export async function reconcile(ctx: ContainerContext, tasks: readonly TaskInfo[]): Promise<void> {
  const mains = new Map(
    tasks.filter(({ execId }) => execId === undefined).map((task) => [task.containerId, task]),
  );
  for (const record of ctx.store.list()) adopt(ctx, record, mains.get(record.id));
  for (const { containerId } of mains.values()) {
    if (!ctx.store.find(containerId)) await ctx.options.runtime.delete(containerId);
  }
}

function adopt(ctx: ContainerContext, record: ContainerRecord, task: TaskInfo | undefined): void {
  const { state } = record;
  if (task && state.status !== 'running') {
    // The start was under way when the daemon died; the process has run all the same.
    if (!['created', 'exited', 'restarting'].includes(state.status)) return;
    const { pid, startedAt } = task.state;
    ctx.update(record, {
      state: transition(state, { type: 'started', pid, at: startedAt }),
      stoppedByUser: false,
    });
    return;
  }
  if (task || state.status !== 'running') return;
  ctx.update(record, {
    state: transition(state, {
      type: 'exited',
      exitCode: undefined,
      at: ctx.options.clock.now(),
      oomKilled: false,
      error: 'exit code unknown: the container was not running any more when the daemon started',
    }),
  });
}

/** Frees what belongs to no running container, finishes removals, and plans the starts that policies ask for. */
export async function tidy(ctx: ContainerContext, lifecycle: Lifecycle): Promise<void> {
  const { logger, volumes } = ctx.options;
  await mkdir(ctx.options.bundles, { recursive: true, mode: 0o700 });
  for (const name of await readdir(ctx.options.bundles)) {
    if (ctx.store.find(name)) continue;
    await unmountRoot(rootOf(ctx, name));
  }
  await removeOrphanedLayers(ctx);
  for (const name of await readdir(ctx.options.root)) {
    if (name.startsWith('.removing-'))
      await rm(join(ctx.options.root, name), { recursive: true, force: true });
  }
  for (const record of ctx.store.list()) {
    try {
      if (record.state.status === 'running') {
        adoptAnnouncements(ctx, record);
        for (const { name } of record.mounts) if (name !== undefined) await volumes.acquire(name, record.id);
      } else await settle(ctx, lifecycle, record);
    } catch (error) {
      logger.error({ container: record.id, error: messageOf(error) }, 'restoring a container failed in part');
    }
  }
}

/** Writable layers of creates that the daemon's death cut short. */
async function removeOrphanedLayers(ctx: ContainerContext): Promise<void> {
  for (const { key, kind } of ctx.options.snapshots.list()) {
    const owner = kind === 'active' ? containerOfSnapshot(key) : undefined;
    if (owner !== undefined && !ctx.store.find(owner)) await ctx.options.snapshots.remove(key);
  }
}

async function settle(ctx: ContainerContext, lifecycle: Lifecycle, record: ContainerRecord): Promise<void> {
  const { state } = record;
  await release(ctx, record);
  await rm(bundleOf(ctx, record.id), { recursive: true, force: true });
  if (state.status === 'removing' || (state.status === 'exited' && record.hostConfig.AutoRemove)) {
    await removeLocked(ctx, record, { volumes: record.hostConfig.AutoRemove ?? false });
    return;
  }
  if (state.status === 'restarting') lifecycle.resumeRestart(record, state);
  else if (state.status === 'exited') {
    const { restartCount, stoppedByUser } = record;
    const last = { exitCode: state.exitCode, restartCount, stoppedByUser };
    if (startsAtBoot(record.hostConfig.RestartPolicy ?? {}, last)) lifecycle.startAtBoot(record);
  }
}
