import { Duplex } from 'node:stream';
import type { ExecConfig } from '#api/types';
import { conflict, internal, invalidArgument, messageOf, newId, notFound, prefixErrors } from '#kernel';
import type { TaskExit } from '#runtime';
import type { ExecStartOptions } from './containers.ts';
import type { ContainerContext } from './context.ts';
import type { ContainerRecord, ExecRecord } from './container-record.ts';
import { failureCode } from './lifecycle.ts';
import { execVariables } from './links.ts';
import { settlesWithin } from './settles-within.ts';
import { capabilitiesOf, capabilitySets } from './spec/capabilities.ts';
import { consoleSize, environment } from './spec/runtime-spec.ts';
import type { SpecProcess } from './spec/oci-spec.ts';
import { specRlimits } from './spec/rlimits.ts';
import { apparmorOf, parseSecurityOptions } from './spec/security-options.ts';
import { resolveUser, type ResolvedUser } from './spec/user.ts';
import { rootOf } from './start/container-paths.ts';
import { accountFiles } from './start/root-file-system.ts';

interface Exec {
  record: ExecRecord;
  readonly config: ExecConfig;
  /** Settles once the process runs, or has failed to. */
  readonly started: PromiseWithResolvers<undefined>;
  /** Settles once the exit is recorded. */
  readonly ended: PromiseWithResolvers<undefined>;
  /** Nanoseconds; finished ones are forgotten some time later. */
  endedAt: bigint | undefined;
}

/** Finished execs can be inspected this long, in nanoseconds. */
const kept = 300_000_000_000n;

/** How long a resize waits for the start of its exec. */
const startPatienceMs = 10_000;

/** Further processes in running containers. */
export class Execs {
  readonly #ctx: ContainerContext;
  readonly #execs = new Map<string, Exec>();

  constructor(ctx: ContainerContext) {
    this.#ctx = ctx;
  }

  create(ref: string, config: ExecConfig): string {
    const record = this.#ctx.store.get(ref);
    this.#requireRunning(record, ref);
    const command = config.Cmd ?? [];
    if (command.length === 0) throw invalidArgument('No exec command specified');
    if (config.User) prefixErrors('', () => this.#user(record, config.User ?? ''), 'invalidArgument');
    this.#ctx.options.runtime.expectStart();
    this.#forgetOld();
    const id = newId();
    const exec: ExecRecord = {
      id,
      containerId: record.id,
      command,
      tty: config.Tty ?? false,
      attachStdin: config.AttachStdin ?? false,
      attachStdout: config.AttachStdout ?? false,
      attachStderr: config.AttachStderr ?? false,
      detachKeys: config.DetachKeys === '' ? undefined : config.DetachKeys,
      privileged: config.Privileged ?? false,
      user: config.User ?? '',
      state: { status: 'created' },
    };
    const [started, ended] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    this.#execs.set(id, { record: exec, config, started, ended, endedAt: undefined });
    this.#ctx.publish(record, `exec_create: ${eventCommand(command)}`, { execID: id });
    return id;
  }

  get(id: string): ExecRecord {
    return this.#get(id).record;
  }

  idsOf(container: string): readonly string[] {
    return [...this.#execs.values()]
      .filter(({ record }) => record.containerId === container && record.state.status !== 'exited')
      .map(({ record }) => record.id);
  }

  async start(id: string, options: ExecStartOptions): Promise<Duplex | undefined> {
    const exec = this.#get(id);
    const container = this.#ctx.store.get(exec.record.containerId);
    // Execs end with their container's run, also those that were never started.
    if (container.state.status === 'exited') throw noSuchExec(id);
    this.#requireRunning(container);
    await options.accept?.();
    const { status } = exec.record.state;
    if (status !== 'created') {
      throw conflict(`exec command ${id} ${status === 'running' ? 'is already running' : 'has already run'}`);
    }
    // Before anything is awaited, so that it is started once.
    exec.record = { ...exec.record, state: { status: 'running', pid: 0 } };
    const { attachStdin: stdin, attachStdout: stdout, attachStderr: stderr } = exec.record;
    let streams: Duplex | undefined;
    try {
      if (!options.detach) {
        const wanted = { containerId: container.id, execId: id, stdin, stdout, stderr };
        streams = await this.#ctx.options.runtime.attach(wanted);
      }
      await this.#run(exec, container, options);
    } catch (error) {
      streams?.destroy();
      this.#failed(exec, error);
      throw error;
    }
    return streams && endsAfter(streams, exec.ended.promise);
  }

  async #run(
    exec: Exec,
    container: ContainerRecord,
    options: { consoleSize?: readonly [number, number] },
  ): Promise<void> {
    const { record } = exec;
    const consoleSize = options.consoleSize ?? exec.config.ConsoleSize ?? undefined;
    this.#ctx.publish(container, `exec_start: ${eventCommand(record.command)}`, { execID: record.id });
    const { pid } = await this.#ctx.options.runtime.exec({
      containerId: container.id,
      execId: record.id,
      process: this.#process(exec, container, consoleSize),
      tty: record.tty,
      openStdin: record.attachStdin,
      ...(consoleSize && consoleSize[0] > 0 && { consoleSize }),
    });
    // An exit may be reported before the start is.
    if (exec.record.state.status === 'running')
      exec.record = { ...record, state: { status: 'running', pid } };
    exec.started.resolve(undefined);
  }

  #user(container: ContainerRecord, asked: string): ResolvedUser {
    const files = accountFiles(rootOf(this.#ctx, container.id));
    return resolveUser(asked || (container.config.User ?? ''), container.hostConfig.GroupAdd ?? [], files);
  }

  #process(exec: Exec, container: ContainerRecord, size: readonly [number, number] | undefined): SpecProcess {
    const { host, defaults } = this.#ctx.options;
    const { config, hostConfig } = container;
    const { record } = exec;
    const user = this.#user(container, record.user);
    const capabilities = capabilitiesOf(hostConfig, record.privileged, host.capabilities);
    const { Hostname: hostname = '', Env: env } = config;
    const apparmorProfile = apparmorOf(hostConfig, host);
    return {
      terminal: record.tty,
      ...(record.tty && consoleSize(size)),
      user: user.user,
      args: record.command,
      env: environment([...execVariables(this.#ctx, container), ...(env ?? []), ...(exec.config.Env ?? [])], {
        hostname,
        tty: record.tty,
        home: user.home,
      }),
      cwd: absolute(exec.config.WorkingDir || config.WorkingDir || '/'),
      capabilities: capabilitySets(capabilities, user.user.uid),
      rlimits: specRlimits(hostConfig.Ulimits ?? [], defaults.ulimits, host.hardLimits),
      noNewPrivileges: parseSecurityOptions(hostConfig.SecurityOpt ?? [], host).noNewPrivileges,
      oomScoreAdj: hostConfig.OomScoreAdj ?? 0,
      ...(apparmorProfile !== undefined && { apparmorProfile }),
    };
  }

  #failed(exec: Exec, error: unknown): void {
    exec.record = {
      ...exec.record,
      state: { status: 'exited', pid: 0, exitCode: failureCode(messageOf(error)) },
    };
    exec.endedAt = this.#ctx.options.clock.now();
    exec.started.resolve(undefined);
    exec.ended.resolve(undefined);
  }

  /** Handles an exec's exit; called at least once per exit, also for execs of an earlier daemon. */
  async exited(exit: TaskExit & { readonly execId: string }): Promise<void> {
    const exec = this.#execs.get(exit.execId);
    if (exec && exec.record.state.status !== 'exited') {
      const exitCode = exit.state.exitCode ?? 255;
      exec.record = { ...exec.record, state: { status: 'exited', pid: exit.state.pid, exitCode } };
      exec.endedAt = this.#ctx.options.clock.now();
      const container = this.#ctx.store.find(exit.containerId);
      if (container)
        this.#ctx.publish(container, 'exec_die', { execID: exit.execId, exitCode: String(exitCode) });
      exec.ended.resolve(undefined);
    }
    await this.#ctx.options.runtime.deleteExec(exit.containerId, exit.execId);
  }

  /** The container's run is over, and its execs with it. */
  containerEnded(container: string): void {
    for (const exec of this.#execs.values()) {
      if (exec.record.containerId !== container || exec.record.state.status !== 'running') continue;
      exec.record = {
        ...exec.record,
        state: { status: 'exited', pid: exec.record.state.pid, exitCode: 137 },
      };
      exec.endedAt = this.#ctx.options.clock.now();
      const record = this.#ctx.store.find(container);
      if (record) this.#ctx.publish(record, 'exec_die', { execID: exec.record.id, exitCode: '137' });
      exec.ended.resolve(undefined);
    }
  }

  /** Waits a while for the start: a client has the answer to it before the process runs. */
  async resize(id: string, size: { rows: number; columns: number }): Promise<void> {
    const exec = this.#get(id);
    if (!(await settlesWithin(exec.started.promise, startPatienceMs))) {
      throw internal('timeout waiting for exec session ready');
    }
    if (exec.record.state.status !== 'running') {
      throw notFound(`NotFound: process does not exist ${exec.record.id}: not found`);
    }
    await this.#ctx.options.runtime.resize(exec.record.containerId, size, exec.record.id);
  }

  #get(id: string): Exec {
    const exec = this.#execs.get(id);
    if (!exec) throw noSuchExec(id);
    return exec;
  }

  /** `ref`: what the request called the container. */
  #requireRunning(record: ContainerRecord, ref = record.id): void {
    if (record.state.status === 'restarting') {
      throw conflict(`Container ${record.id} is restarting, wait until the container is running`);
    }
    if (record.state.status !== 'running') throw conflict(`container ${record.id} is not running`);
    if (record.state.paused) {
      throw conflict(`Container ${ref} is paused, unpause the container before exec`);
    }
  }

  #forgetOld(): void {
    const oldest = this.#ctx.options.clock.now() - kept;
    for (const [id, { endedAt }] of this.#execs) {
      if (endedAt !== undefined && endedAt < oldest) this.#execs.delete(id);
    }
  }
}

/** crun takes a relative folder as one below `/`; Docker refuses it. */
function absolute(folder: string): string {
  if (folder.startsWith('/')) return folder;
  throw internal('OCI runtime exec failed: exec failed: Cwd must be an absolute path');
}

const noSuchExec = (id: string): Error => notFound(`No such exec instance: ${id}`);

/** Docker puts a space behind the program, also where no arguments follow. */
const eventCommand = ([program = '', ...args]: readonly string[]): string => `${program} ${args.join(' ')}`;

/** The streams, whose end is held back until the exit is recorded, so that an inspect right after it tells the code. */
function endsAfter(streams: Duplex, ended: Promise<unknown>): Duplex {
  const gated = new Duplex({
    read() {
      streams.resume();
    },
    write(chunk: Uint8Array, _encoding, done) {
      streams.write(chunk, done);
    },
    final(done) {
      streams.end(done);
    },
    destroy(error, done) {
      streams.destroy();
      done(error);
    },
  });
  streams.on('data', (chunk: Uint8Array) => {
    if (!gated.push(chunk)) streams.pause();
  });
  streams.on('end', () => {
    void ended.then(() => gated.push(null));
  });
  streams.on('error', (error) => gated.destroy(error));
  return gated;
}
