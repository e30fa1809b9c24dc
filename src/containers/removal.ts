import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { conflict, isKind, messageOf, newId } from '#kernel';
import type { ContainerContext } from './context.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Lifecycle } from './lifecycle.ts';
import { waitResult } from './lifecycle.ts';
import { dropImages } from './held-images.ts';
import { hasLinks, settleLinks } from './links.ts';
import { stateFolderOf } from './start/container-paths.ts';
import { release, releaseRoot } from './start/launch.ts';
import { lastExit, transition } from './state-machine.ts';

export interface RemoveOptions {
  readonly force: boolean;
  readonly volumes: boolean;
}

/** Removes a container: its run if forced, its writable layer, its files, its record. */
export async function remove(
  ctx: ContainerContext,
  lifecycle: Lifecycle,
  ref: string,
  options: RemoveOptions,
): Promise<void> {
  const { id, state } = ctx.store.get(ref);
  if (state.status === 'removing') throw conflict(`removal of container ${ref} is already in progress`);
  // Between its end and the lock a container may be started again.
  for (let down = false; !down;) {
    await bringDown(ctx, lifecycle, id, ref, options);
    await using _lock = await ctx.locks.acquire(id);
    // With AutoRemove the exit may have taken it away meanwhile.
    const record = ctx.store.find(id);
    down = record === undefined || !isUp(record);
    if (record && down) await removeLocked(ctx, record, options);
  }
}

const isUp = ({ state }: ContainerRecord): boolean =>
  state.status === 'running' || state.status === 'restarting';

/** Ends a container that is up, or throws when it is not to be forced. */
async function bringDown(
  ctx: ContainerContext,
  lifecycle: Lifecycle,
  id: string,
  ref: string,
  options: RemoveOptions,
): Promise<void> {
  const record = ctx.store.find(id);
  if (!record || !isUp(record)) return;
  if (!options.force) {
    const paused = record.state.status === 'running' && record.state.paused;
    const why = paused
      ? 'container is paused and must be unpaused first'
      : `container is ${record.state.status}: stop the container before removing or force remove`;
    throw conflict(`cannot remove container "${displayName(ref, ctx)}": ${why}`);
  }
  if (!(await lifecycle.cancelRestart(id))) {
    const running = ctx.store.find(id);
    if (running?.state.status === 'running') await lifecycle.termination.killAndWait(running);
  }
}

const displayName = (ref: string, ctx: ContainerContext): string =>
  ref.startsWith('/') ? ref : ctx.store.get(ref).name;

/**
 * The same with the container's lock held and the container down; `released`: releaseRun() is done already. A failure
 * leaves it `dead`, to be removed again.
 */
export async function removeLocked(
  ctx: ContainerContext,
  record: ContainerRecord,
  options: Pick<RemoveOptions, 'volumes'> & { readonly released?: boolean },
): Promise<void> {
  const { snapshots, logger } = ctx.options;
  const last = lastExit(record.state);
  const removing = ctx.update(record, { state: transition(record.state, { type: 'removing' }) });
  try {
    await (options.released ? releaseRoot : release)(ctx, removing);
    await snapshots.remove(record.id);
    await dropImages(ctx, record.id, record.mounts);
    await ctx.shipping.finish(record.id);
    await removeStateFolder(ctx, record.id);
    ctx.store.remove(record.id);
    if (hasLinks(removing)) settleLinks(ctx);
  } catch (error) {
    ctx.update(removing, { state: transition(removing.state, { type: 'removalFailed' }) });
    throw error;
  }
  if (options.volumes) {
    for (const { name } of record.mounts) {
      if (name === undefined || !ctx.options.volumes.find(name)?.anonymous) continue;
      await ctx.options.volumes.remove(name).catch((error: unknown) => {
        if (!isKind(error, 'conflict')) {
          logger.warn({ volume: name, error: messageOf(error) }, 'an anonymous volume could not be removed');
        }
      });
    }
  }
  if (!ctx.options.images.find(record.imageId)) collectGarbage(ctx);
  ctx.publish(record, 'destroy');
  ctx.waiters.removed(record.id, last ? waitResult(last) : { statusCode: failedStart(record) });
}

/** The container was the last that needed the layers of an image removed before; nobody need wait for their going. */
function collectGarbage(ctx: ContainerContext): void {
  ctx.options.images.collectGarbage().catch((error: unknown) => {
    ctx.options.logger.warn(
      { error: messageOf(error) },
      'layers that nobody needs are kept until the next start',
    );
  });
}

const failedStart = (record: ContainerRecord): number =>
  record.state.status === 'created' ? (record.state.failure?.exitCode ?? 0) : 0;

/** The folder vanishes at once; its contents (large logs) go in the background. */
async function removeStateFolder(ctx: ContainerContext, id: string): Promise<void> {
  const doomed = join(ctx.options.root, `.removing-${newId().slice(0, 16)}`);
  try {
    await rename(stateFolderOf(ctx, id), doomed);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  rm(doomed, { recursive: true, force: true }).catch((error: unknown) => {
    ctx.options.logger.warn(
      { container: id, error: messageOf(error) },
      'a removed container left files behind',
    );
  });
}
