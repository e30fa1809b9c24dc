import type { Duplex } from 'node:stream';
import type { HostConfig } from '#api/types';
import { unavailable } from '#kernel';
import type { Digest } from '#oci';
import type { TaskExit } from '#runtime';
import type { ContainerMount, ContainerRecord } from './container-record.ts';
import type { ContainerContext } from './context.ts';
import { discardUnsupported } from './create/discard-unsupported.ts';
import { validateResources } from './create/validate-resources.ts';
import { stepDevices, type StepDevice } from './devices/step-devices.ts';
import { launch, release } from './start/launch.ts';

/** One command in a file system of its own, as a build runs it: confined like a container, but no container. */
export interface Step {
  /** Key of the active snapshot that it works on. */
  readonly id: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workingDirectory: string;
  /** `user[:group]` by name or number, '' for root. */
  readonly user: string;
  readonly hostname: string;
  /** As a container's network mode; `default` is the default bridge. */
  readonly network: string;
  readonly mounts: readonly StepMount[];
  /** Devices of CDI files. */
  readonly devices: readonly StepDevice[];
  /** Limits, capabilities, hosts: as a container's create request has them. */
  readonly hostConfig: HostConfig;
}

export type StepMount =
  /** A file or folder of the host. */
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly type: 'tmpfs'; readonly target: string; readonly options: string };

export interface StepOptions {
  readonly signal: AbortSignal;
  /** What it writes, as it comes. */
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Uint8Array) => void;
}

export interface StepResult {
  /** 128 + n after signal n; undefined when nobody saw it. */
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
}

const kill = 9;

/** Runs steps. What a daemon's death leaves of them is cleared by the next one, as of containers without a record. */
export class Steps {
  readonly #ctx: ContainerContext;
  readonly #running = new Map<string, (exit: TaskExit) => void>();
  readonly #unfinished = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor(ctx: ContainerContext) {
    this.#ctx = ctx;
  }

  /** Whether the exit was a step's. */
  exited(exit: TaskExit): boolean {
    const running = this.#running.get(exit.containerId);
    running?.(exit);
    return running !== undefined;
  }

  /**
   * Runs a step to its end; nothing of it is left afterwards but what it has changed in its snapshot. An aborted one is
   * killed, and rejects with the signal's reason. Rejects like a container's start when it cannot be started.
   */
  async run(step: Step, { signal, onOutput }: StepOptions): Promise<StepResult> {
    const running = this.#run(step, { onOutput, signal: AbortSignal.any([signal, this.#closing.signal]) });
    const finished = running.catch(() => undefined);
    this.#unfinished.add(finished);
    void finished.then(() => this.#unfinished.delete(finished));
    return running;
  }

  /** Ends all steps; resolves when nothing of them is left. */
  async close(): Promise<void> {
    this.#closing.abort(unavailable('the daemon is stopping'));
    await Promise.all(this.#unfinished);
  }

  async #run(step: Step, { signal, onOutput }: StepOptions): Promise<StepResult> {
    signal.throwIfAborted();
    if (this.#ctx.stopping) throw unavailable('the daemon is stopping');
    const { runtime, clock } = this.#ctx.options;
    const record = recordOf(await this.#resolved(step), clock.now());
    const ended = Promise.withResolvers<TaskExit>();
    this.#running.set(step.id, ended.resolve);
    this.#ctx.untold.add(step.id);
    const output = await runtime.attach({ containerId: step.id, stdin: false, stdout: true, stderr: true });
    const drained = readFrames(output, onOutput);
    const stop = (): void => void runtime.kill(step.id, kill).catch(() => undefined);
    try {
      await launch(this.#ctx, record);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      const { state, oomKilled } = await ended.promise;
      await drained;
      signal.throwIfAborted();
      return { exitCode: state.exitCode, oomKilled };
    } finally {
      signal.removeEventListener('abort', stop);
      this.#running.delete(step.id);
      output.destroy();
      await release(this.#ctx, record);
      this.#ctx.untold.delete(step.id);
    }
  }

  /** With the host configuration that this host can do. Throws invalidArgument for limits and devices that cannot be. */
  async #resolved(step: Step): Promise<Step> {
    const { host, logger } = this.#ctx.options;
    const { host: hostConfig } = discardUnsupported(step.hostConfig, host.kernel);
    validateResources(hostConfig, host);
    const names = await stepDevices(step.devices, host.cdiSpecDirs, logger);
    const DeviceRequests = names.length === 0 ? [] : [{ Driver: 'cdi', DeviceIDs: names }];
    return { ...step, hostConfig: { ...hostConfig, DeviceRequests } };
  }
}

/** A container's record for what is none: it is in no store, and no client sees it. */
function recordOf(step: Step, now: bigint): ContainerRecord {
  const mode = step.network === 'default' ? 'bridge' : step.network;
  const isShared = mode === 'host' || mode === 'none' || mode.startsWith('container:');
  return {
    id: step.id,
    name: step.id,
    createdAt: now,
    imageName: '',
    imageId: '' as Digest, // nothing asks for the image of what is in no store
    config: {
      Cmd: [...step.args],
      Env: [...step.env],
      WorkingDir: step.workingDirectory,
      User: step.user,
      Hostname: step.hostname,
    },
    hostConfig: {
      ...step.hostConfig,
      AutoRemove: true,
      NetworkMode: mode,
      LogConfig: { Type: 'none', Config: {} },
    },
    endpoints: isShared ? {} : { [mode]: {} },
    mounts: step.mounts.map(containerMount),
    state: { status: 'created' },
    restartCount: 0,
    stoppedByUser: false,
  };
}

function containerMount(mount: StepMount): ContainerMount {
  const shared = { destination: mount.target, propagation: '', copyUp: false };
  if (mount.type === 'tmpfs') {
    return { ...shared, type: 'tmpfs', source: '', mode: '', rw: true, tmpfsOptions: mount.options };
  }
  return { ...shared, type: 'bind', source: mount.source, mode: '', rw: !mount.readOnly };
}

const frameHeader = 8;

/** Takes the runtime's frames apart (Engine API, ContainerAttach): a stream's number, a length, the bytes. */
async function readFrames(output: Duplex, onOutput: StepOptions['onOutput']): Promise<void> {
  let pending: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (pending.length >= frameHeader) {
        const end = frameHeader + pending.readUInt32BE(4);
        if (pending.length < end) break;
        onOutput(pending[0] === 2 ? 'stderr' : 'stdout', pending.subarray(frameHeader, end));
        pending = pending.subarray(end);
      }
    }
  } catch {
    // Torn down with the step.
  }
}
