import { Duplex, type Readable } from 'node:stream';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  ContainerCreateRequest,
  ContainerTopResponse,
  EndpointSettings,
  ExecConfig,
  FilesystemChange,
  UpdateConfig,
} from '#api/types';
import { conflict, invalidArgument, messageOf, prefixErrors } from '#kernel';
import { readLogBatches, type LogRecord } from '#logs';
import type { TaskInfo } from '#runtime';
import { refuseCheckpoint } from './checkpoints.ts';
import { connectNetwork, disconnectNetwork } from './container-networks.ts';
import type { ContainerRecord, ExecRecord } from './container-record.ts';
import type {
  Containers,
  ExecStartOptions,
  LiveNetwork,
  LogsOptions,
  PathStat,
  WaitCondition,
} from './containers.ts';
import { ContainerContext, type ContainersOptions } from './context.ts';
import { createContainer } from './create/create-container.ts';
import { checkName } from './create/names.ts';
import { Execs } from './execs.ts';
import { ContainerFiles } from './files/container-files.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import { Lifecycle, waitResult } from './lifecycle.ts';
import { hasLinks, removeLink, settleLinks } from './links.ts';
import { remove, removeLocked } from './removal.ts';
import { reconcile, tidy } from './restore.ts';
import { apparmorOf } from './spec/security-options.ts';
import { makeBaseLayer } from './start/base-layer.ts';
import { rewriteContainerEtc } from './start/container-etc.ts';
import { rootOf, stateFolderOf } from './start/container-paths.ts';
import { clearContainerLog, readableLogPath, resumeShipping, shownLogPath } from './start/log-config.ts';
import { lastExit } from './state-machine.ts';
import { Steps } from './steps.ts';
import { StatsSampler, type StatsOptions, type StatsReading } from './stats/sampler.ts';
import { top } from './top.ts';
import { updateContainer } from './update/update-container.ts';

/** The engine's containers. restore() must have resolved before anything else is called. */
export class LocalContainers implements Containers, AsyncDisposable {
  readonly steps: Steps;
  readonly #ctx: ContainerContext;
  readonly #lifecycle: Lifecycle;
  readonly #execs: Execs;
  readonly #files: ContainerFiles;
  readonly #health: HealthMonitor;
  readonly #sampler: StatsSampler;

  constructor(options: ContainersOptions) {
    this.#ctx = new ContainerContext(options);
    this.#execs = new Execs(this.#ctx);
    this.#health = new HealthMonitor(this.#ctx, this.#execs, (record) =>
      this.#lifecycle.restartUnhealthy(record),
    );
    this.#lifecycle = new Lifecycle(this.#ctx, {
      autoRemove: async (record) =>
        removeLocked(this.#ctx, record, { volumes: true, released: true }).catch((error: unknown) => {
          options.logger.error({ container: record.id, error: messageOf(error) }, 'automatic removal failed');
        }),
      started: (record) => this.#health.begin(record),
      frozen: (record, frozen) => {
        if (frozen) this.#health.end(record.id);
        else this.#health.resume(record);
      },
    });
    this.#files = new ContainerFiles(this.#ctx);
    this.steps = new Steps(this.#ctx);
    this.#sampler = new StatsSampler(this.#ctx);
  }

  /** Loads the records; nothing on the host is touched yet. */
  load(): void {
    this.#ctx.store.load();
  }

  /** Makes records and host agree. `networks` rebuilds what the host lost of the running containers' networks. */
  async restore(
    tasks: readonly TaskInfo[],
    networks: (live: ReadonlySet<string>) => Promise<void>,
  ): Promise<void> {
    const { root, bundles, runtime } = this.#ctx.options;
    await mkdir(root, { recursive: true, mode: 0o710 });
    await mkdir(bundles, { recursive: true, mode: 0o700 });
    this.#ctx.baseLayer = await makeBaseLayer(join(root, '.base'));
    await reconcile(this.#ctx, tasks);
    const running = this.#ctx.store.list().filter(({ state }) => state.status === 'running');
    await networks(new Set(running.map(({ id }) => id)));
    await tidy(this.#ctx, this.#lifecycle);
    for (const record of running) this.#health.resume(record);
    resumeShipping(this.#ctx);
    runtime.onExit(async (exit) => {
      const { execId } = exit;
      if (execId !== undefined) return this.#execs.exited({ ...exit, execId });
      if (this.steps.exited(exit)) return;
      this.#health.end(exit.containerId);
      this.#execs.containerEnded(exit.containerId);
      await this.#lifecycle.exited(exit);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ctx.stopping = true;
    this.#lifecycle.close();
    this.#health.close();
    this.#sampler.close();
    await this.steps.close();
    await this.#ctx.shipping[Symbol.asyncDispose]();
  }

  create(
    request: ContainerCreateRequest,
    options: { name?: string; platform?: string; signal: AbortSignal },
  ): Promise<{ readonly id: string; readonly warnings: readonly string[] }> {
    return createContainer(this.#ctx, request, options);
  }

  get(ref: string): ContainerRecord {
    return this.#ctx.store.get(ref);
  }

  list(): readonly ContainerRecord[] {
    return this.#ctx.store.list().toReversed();
  }

  network(id: string): LiveNetwork | undefined {
    const sandbox = this.#ctx.options.networks.findSandbox(id);
    return sandbox && { sandboxKey: sandbox.path, endpoints: sandbox.endpoints, ports: sandbox.ports };
  }

  logPath(id: string): string {
    const record = this.#ctx.store.get(id);
    return record.state.status === 'created' ? '' : shownLogPath(this.#ctx, record);
  }

  apparmorProfile(id: string): string {
    const { host } = this.#ctx.options;
    const profile = apparmorOf(this.#ctx.store.get(id).hostConfig, host);
    return profile ?? (host.apparmor ? 'unconfined' : '');
  }

  /** Host paths of the files that a container sees under /etc; undefined before its first start. */
  files(
    id: string,
  ): { readonly resolvConf: string; readonly hostname: string; readonly hosts: string } | undefined {
    const folder = stateFolderOf(this.#ctx, id);
    if (this.#ctx.store.get(id).state.status === 'created') return undefined;
    return {
      resolvConf: join(folder, 'resolv.conf'),
      hostname: join(folder, 'hostname'),
      hosts: join(folder, 'hosts'),
    };
  }

  /** The folders of a root that is an overlay, and where it is mounted while somebody needs it. */
  rootFolders(
    id: string,
  ): { lower: readonly string[]; upper: string; work: string; merged: string } | undefined {
    const { lower, upper, work } = this.#ctx.options.snapshots.mounts(id);
    if (upper === undefined || work === undefined) return undefined;
    return { lower: [this.#ctx.baseLayer, ...lower], upper, work, merged: rootOf(this.#ctx, id) };
  }

  execIds(id: string): readonly string[] {
    return this.#execs.idsOf(id);
  }

  start(ref: string, options: { signal: AbortSignal }): Promise<void> {
    return this.#lifecycle.start(ref, options);
  }

  stop(ref: string, options: { stopSignal?: string; timeout?: number; signal: AbortSignal }): Promise<void> {
    return this.#lifecycle.termination.stop(ref, options);
  }

  /** Stops every container for the end of the daemon; restart policies are planned no more and hold at the next start. */
  async shutdown(options: { signal: AbortSignal }): Promise<void> {
    this.#ctx.stopping = true;
    const stopped = this.#ctx.store.list().map(async (record) =>
      this.#lifecycle.termination.stopForShutdown(record, options.signal).catch((error: unknown) => {
        const fields = { container: record.id, error: messageOf(error) };
        this.#ctx.options.logger.warn(fields, 'a container did not stop');
      }),
    );
    await Promise.all(stopped);
  }

  restart(
    ref: string,
    options: { stopSignal?: string; timeout?: number; signal: AbortSignal },
  ): Promise<void> {
    return this.#lifecycle.restart(ref, options);
  }

  kill(ref: string, killSignal: string): Promise<void> {
    return this.#lifecycle.termination.kill(ref, killSignal);
  }

  pause(ref: string): Promise<void> {
    return this.#lifecycle.pause(ref);
  }

  unpause(ref: string): Promise<void> {
    return this.#lifecycle.unpause(ref);
  }

  async rename(ref: string, name: string): Promise<void> {
    const ctx = this.#ctx;
    const { id } = ctx.store.get(ref);
    if (name === '') throw invalidArgument('Neither old nor new names may be empty');
    const next = prefixErrors('Error when allocating new name: ', () =>
      checkName(name.startsWith('/') ? name : `/${name}`),
    );
    await using _lock = await ctx.locks.acquire(id);
    const record = ctx.store.get(id);
    if (record.name === next) {
      throw invalidArgument('Renaming a container with the same name as its current name');
    }
    const renamed = prefixErrors('Error when allocating new name: ', () =>
      ctx.update(record, { name: next }),
    );
    if (hasLinks(renamed)) settleLinks(ctx);
    ctx.options.networks.rename(id, next);
    ctx.publish(renamed, 'rename', { oldName: `/${record.name}` });
  }

  async remove(ref: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void> {
    if (options.link) rewriteContainerEtc(this.#ctx, removeLink(this.#ctx, ref));
    else await remove(this.#ctx, this.#lifecycle, ref, options);
  }

  update(ref: string, update: UpdateConfig): Promise<{ readonly warnings: readonly string[] }> {
    return updateContainer(this.#ctx, ref, update);
  }

  async resize(ref: string, size: { rows: number; columns: number }): Promise<void> {
    const record = this.#ctx.store.get(ref);
    if (record.state.status !== 'running') throw conflict(`container ${record.id} is not running`);
    // Without a terminal there is nothing to do, and no error.
    if (record.config.Tty) await this.#ctx.options.runtime.resize(record.id, size);
    this.#ctx.publish(record, 'resize', { height: String(size.rows), width: String(size.columns) });
  }

  wait(
    ref: string,
    condition: WaitCondition,
    options: { signal: AbortSignal },
  ): { readonly result: Promise<{ readonly statusCode: number; readonly error?: string }> } {
    const { id, state } = this.#ctx.store.get(ref);
    if (condition === 'not-running' && state.status !== 'running' && state.status !== 'restarting') {
      const ended = lastExit(state);
      return { result: Promise.resolve(ended ? waitResult(ended) : { statusCode: 0 }) };
    }
    return { result: this.#ctx.waiters.add(id, condition, options.signal) };
  }

  top(ref: string, psArgs: string): Promise<ContainerTopResponse> {
    return top(this.#ctx, ref, psArgs);
  }

  checkpoint(ref: string, checkpoint: string): Promise<never> {
    return refuseCheckpoint(this.#ctx, ref, checkpoint);
  }

  /** What the container uses, once a second. */
  stats(ref: string, options: StatsOptions): AsyncGenerator<StatsReading, void, void> {
    return this.#sampler.read(ref, options);
  }

  logs(ref: string, options: LogsOptions): AsyncIterable<readonly LogRecord[]> {
    const record = this.#ctx.store.get(ref);
    const { id } = record;
    return readLogBatches({
      ...options,
      path: readableLogPath(this.#ctx, record),
      ended: this.#runEnds(id, options.signal),
    });
  }

  clearLogs(ref: string): Promise<void> {
    return clearContainerLog(this.#ctx, this.#ctx.store.get(ref));
  }

  /** Settles when the container is not running any more, or when nobody is interested. */
  #runEnds(id: string, signal: AbortSignal): Promise<unknown> {
    if (this.#ctx.store.find(id)?.state.status !== 'running') return Promise.resolve();
    return this.#ctx.waiters.add(id, 'not-running', signal).catch(() => undefined);
  }

  async attach(ref: string, options: { stdin: boolean; stdout: boolean; stderr: boolean }): Promise<Duplex> {
    const record = this.#ctx.store.get(ref);
    const { status } = record.state;
    if (status === 'running' && record.state.paused) {
      throw conflict(`container ${ref} is paused, unpause the container before attach`);
    }
    if (status === 'restarting') {
      throw conflict(`container ${record.id} is restarting, wait until the container is running`);
    }
    this.#ctx.publish(record, 'attach');
    if (status !== 'running' && status !== 'created' && status !== 'exited') return ended();
    return this.#ctx.options.runtime.attach({
      containerId: record.id,
      ...options,
      stdin: options.stdin && (record.config.OpenStdin ?? false),
    });
  }

  attached(ref: string): void {
    this.#ctx.publish(this.#ctx.store.get(ref), 'attach');
  }

  detached(ref: string, execId?: string): void {
    const record = this.#ctx.store.find(ref);
    if (!record) return;
    if (execId === undefined) this.#ctx.publish(record, 'detach');
    else this.#ctx.publish(record, 'exec_detach', { execID: execId });
  }

  committed(ref: string, attributes: Readonly<Record<string, string>>): void {
    this.#ctx.publish(this.#ctx.store.get(ref), 'commit', attributes);
  }

  changes(ref: string): Promise<readonly FilesystemChange[]> {
    return this.#files.changes(ref);
  }

  size(ref: string): Promise<{ readonly sizeRw: number; readonly sizeRootFs: number }> {
    return this.#files.size(ref);
  }

  exportFiles(ref: string, options: { signal: AbortSignal }): Promise<Readable> {
    return this.#files.export(ref, options);
  }

  statPath(ref: string, path: string): Promise<PathStat> {
    return this.#files.stat(ref, path);
  }

  readArchive(
    ref: string,
    path: string,
    options: { signal: AbortSignal },
  ): Promise<{ readonly stat: PathStat; readonly stream: Readable }> {
    return this.#files.read(ref, path, options);
  }

  writeArchive(
    ref: string,
    path: string,
    archive: AsyncIterable<Uint8Array>,
    options: { noOverwriteDirNonDir: boolean; copyUIDGID: boolean; signal: AbortSignal },
  ): Promise<void> {
    return this.#files.write(ref, path, archive, options);
  }

  async createExec(ref: string, config: ExecConfig): Promise<string> {
    return Promise.resolve(this.#execs.create(ref, config));
  }

  getExec(id: string): ExecRecord {
    return this.#execs.get(id);
  }

  startExec(id: string, options: ExecStartOptions): Promise<Duplex | undefined> {
    return this.#execs.start(id, options);
  }

  resizeExec(id: string, size: { rows: number; columns: number }): Promise<void> {
    return this.#execs.resize(id, size);
  }

  connectNetwork(ref: string, network: string, settings: EndpointSettings): Promise<void> {
    return connectNetwork(this.#ctx, ref, network, settings);
  }

  disconnectNetwork(ref: string, network: string, options: { force: boolean }): Promise<void> {
    return disconnectNetwork(this.#ctx, ref, network, options);
  }
}

/** Streams of a container that has none left. */
function ended(): Duplex {
  const streams = new Duplex({
    read() {
      this.push(null);
    },
    write(_chunk, _encoding, done) {
      done();
    },
  });
  return streams;
}
