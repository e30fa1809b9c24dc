import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument, messageOf } from '#kernel';
import type { RuntimeProgram } from '#runtime';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import type { SpecMount } from '../spec/oci-spec.ts';
import { encodeSpec } from '../spec/runtime-spec.ts';
import { composeSpec, type OpenedResources } from './compose-spec.ts';
import { tellLinkingContainers, writeContainerEtc } from './container-etc.ts';
import { bundleOf, rootOf } from './container-paths.ts';
import { openLog } from './log-config.ts';
import { specMount } from './mount-specs.ts';
import { openNetwork } from './network.ts';
import { openMount } from './open-mount.ts';
import { mountRoot, unmountRoot } from './root-file-system.ts';
import { announceMounts, announceNetwork, announceRelease } from './run-events.ts';
import { closeSharedMemory, openSharedMemory } from './shared-memory.ts';

/**
 * Starts a container's process: root file system, volumes, network, files of /etc, spec, runtime. Everything it
 * opens is given back when a step fails, after `failed` was called; on success it stays until release().
 */
export async function launch(
  ctx: ContainerContext,
  record: ContainerRecord,
  failed: (error: unknown) => void = () => undefined,
): Promise<{ readonly pid: number; readonly startedAt: bigint }> {
  try {
    const opened = await openResources(ctx, record);
    writeContainerEtc(ctx, record, opened.network);
    const spec = await composeSpec(ctx, record, opened);
    writeFileSync(join(bundleOf(ctx, record.id), 'config.json'), encodeSpec(spec), { mode: 0o600 });
    const { config, hostConfig } = record;
    const [rows = 0, columns = 0] = hostConfig.ConsoleSize ?? [];
    const runtime = ownRuntime(ctx, hostConfig.Runtime);
    const run = await ctx.options.runtime.run({
      containerId: record.id,
      bundle: bundleOf(ctx, record.id),
      tty: config.Tty ?? false,
      openStdin: config.OpenStdin ?? false,
      stdinOnce: config.StdinOnce ?? false,
      log: await openLog(ctx, record),
      ...(runtime && { runtime }),
      ...(rows > 0 && columns > 0 && { consoleSize: [rows, columns] as const }),
    });
    tellLinkingContainers(ctx, record);
    return run;
  } catch (error) {
    failed(error);
    await release(ctx, record);
    throw error;
  }
}

/** The OCI runtime that a container names. Throws invalidArgument for one that the daemon no longer knows. */
function ownRuntime(ctx: ContainerContext, name: string | undefined): RuntimeProgram | undefined {
  if (!name) return undefined;
  const program = ctx.options.host.runtimes[name];
  if (program === undefined) throw invalidArgument(`unknown or invalid runtime name: ${name}`);
  return program;
}

/** Gives back all that launch() opened. Idempotent, also after a crash; each step is tried whatever the others do. */
export async function release(ctx: ContainerContext, record: ContainerRecord): Promise<void> {
  await releaseRun(ctx, record);
  await releaseRoot(ctx, record);
}

/** The first half: what others may be waiting for, such as names, ports and volumes. */
export async function releaseRun(ctx: ContainerContext, record: ContainerRecord): Promise<void> {
  const { runtime, networks, volumes } = ctx.options;
  await inTurn(ctx, record, [
    () => runtime.delete(record.id),
    () => {
      ctx.shipping.ended(record.id);
      return Promise.resolve();
    },
    () => networks.closeSandbox(record.id),
    () => closeSharedMemory(ctx, record.id),
    ...record.mounts.flatMap(({ name }) =>
      name === undefined ? [] : [() => volumes.release(name, record.id)],
    ),
  ]);
  announceRelease(ctx, record);
}

/** The second half: unmounting flushes what the run has written, which takes a while. */
export async function releaseRoot(ctx: ContainerContext, record: ContainerRecord): Promise<void> {
  const { id } = record;
  await inTurn(ctx, record, [() => ctx.roots.release(id, 'run', () => unmountRoot(rootOf(ctx, id)))]);
}

async function inTurn(
  ctx: ContainerContext,
  record: ContainerRecord,
  steps: readonly (() => Promise<unknown>)[],
): Promise<void> {
  for (const step of steps) {
    await step().catch((error: unknown) => {
      const fields = { container: record.id, error: messageOf(error) };
      ctx.options.logger.error(fields, 'releasing a container failed in part');
    });
  }
}

async function openResources(ctx: ContainerContext, record: ContainerRecord): Promise<OpenedResources> {
  const { id } = record;
  const root = rootOf(ctx, id);
  await ctx.roots.acquire(id, 'run', () => {
    mkdirSync(bundleOf(ctx, id), { recursive: true, mode: 0o700 });
    const volatile = record.hostConfig.AutoRemove ?? false;
    mountRoot(ctx.options.snapshots.mounts(id), ctx.baseLayer, root, { volatile });
  });
  const mounts: SpecMount[] = [];
  for (const mount of record.mounts) mounts.push(specMount(mount, await openMount(ctx, mount, root, id)));
  announceMounts(ctx, record);
  const sharedMemory = await openSharedMemory(ctx, record);
  const network = await openNetwork(ctx, record);
  announceNetwork(ctx, record);
  return { root, network, mounts, sharedMemory };
}
