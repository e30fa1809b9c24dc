import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { conflict, internal, invalidArgument, messageOf, notFound, type Clock, type Logger } from '#kernel';
import { Cgroup, cgroupPathOf, processStartTicks, readCgroupHost, removeFile } from '#linux';
import type { ExecOptions, RunOptions } from '../runtime.ts';
import type { Attachment } from './attachment.ts';
import { Attachments } from './attachments.ts';
import { readBundle } from './bundle.ts';
import { Children } from './children.ts';
import { translateOciError } from './oci-errors.ts';
import { argumentsOf, oomScoreOf, userOf } from './oci-process.ts';
import { OciRuntime, OciRuntimeError, type OciStart, type OciStarted } from './oci-runtime.ts';
import { taskKey, type Started, type TaskName, type WireTask } from './protocol.ts';
import { noLog, type OpenLog } from './sink.ts';
import { prepareStreams } from './streams.ts';
import { TaskStore, wireTask, type TaskRecord } from './task-store.ts';
import { Task, type TaskHost } from './task.ts';

export interface SupervisorOptions {
  /** Everything of this instance that lives as long as the host runs. */
  readonly runFolder: string;
  /** Program file of crun or runc. */
  readonly binary: string;
  readonly ociRoot: string;
  readonly env: readonly string[];
  readonly concurrency: number;
  readonly openLog: OpenLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const KILL_MS = 10_000;
const FREEZE_MS = 10_000;
const INTERRUPTED_MS = 300;

/** The processes of every container of one daemon instance, and what becomes of their streams and exits. */
export class Supervisor implements TaskHost {
  readonly store: TaskStore;
  readonly children: Children;
  readonly attachments = new Attachments();
  readonly tasks = new Map<string, Task>();
  readonly options: SupervisorOptions;
  readonly #oci: OciRuntime;
  readonly #cgroupHost = readCgroupHost();
  /** Where exits are sent; set by the server while a daemon listens. */
  onExit: ((task: Task) => Promise<void>) | undefined;
  readonly #cleaning = new Map<string, Promise<void>>();

  constructor(options: SupervisorOptions) {
    this.options = options;
    this.store = new TaskStore(options.runFolder);
    this.children = new Children(options.clock);
    const { binary, ociRoot: root, env, concurrency, runFolder: socketFolder } = options;
    this.#oci = new OciRuntime({ binary, root, env, concurrency, socketFolder }, this.children);
  }

  async run(options: RunOptions): Promise<Started> {
    const { containerId, bundle, tty, openStdin, stdinOnce, log, runtime } = options;
    await this.#cleaning.get(containerId);
    const { args, cgroup } = readBundle(bundle);
    const record = { ...blank, containerId, bundle, runtime, cgroup, tty, openStdin, stdinOnce, log };
    const task = this.#claim({ containerId }, record, this.options.openLog(log, undefined));
    const start = { verb: 'run', containerId, args: ['--bundle', bundle] } as const;
    try {
      return await this.#start(task, start, options.consoleSize);
    } catch (error) {
      await task.log.close();
      await this.#discard(task);
      throw this.#refused(error, 'run', args[0]);
    }
  }

  async exec(options: ExecOptions): Promise<Started> {
    const { containerId, execId, tty, openStdin } = options;
    const main = this.#running({ containerId });
    const record = {
      ...blank,
      containerId,
      execId,
      runtime: main.record.runtime,
      cgroup: main.record.cgroup,
      tty,
      openStdin,
      stdinOnce: true,
    };
    const task = this.#claim({ containerId, execId }, record, noLog);
    const file = this.store.path(task.name, 'process');
    const [rows, columns] = options.consoleSize ?? [];
    const consoleSize = rows && columns ? { consoleSize: { height: rows, width: columns } } : {};
    writeFileSync(file, JSON.stringify({ ...options.process, terminal: tty, ...consoleSize }), {
      mode: 0o600,
    });
    const owner = userOf(options.process);
    const oomScore = oomScoreOf(options.process);
    try {
      return await this.#start(
        task,
        { verb: 'exec', containerId, args: ['--process', file], owner, oomScore },
        options.consoleSize,
      );
    } catch (error) {
      for (const parked of this.attachments.takeParked(task.key)) parked.end();
      this.#drop(task);
      throw this.#refused(error, 'exec', argumentsOf(options.process)[0]);
    } finally {
      removeFile(file);
    }
  }

  /** An attachment joins its task, or waits for the task to be started. */
  attach(attachment: Attachment): void {
    const { containerId, execId } = attachment.options;
    this.attachments.add(attachment);
    const key = taskKey({ containerId, execId });
    const task = this.tasks.get(key);
    if (!task || task.record.status === 'starting') this.attachments.park(key, attachment);
    else if (!task.done) task.attach(attachment);
    else if (execId === undefined) this.attachments.park(key, attachment);
    else attachment.end();
  }

  kill(name: TaskName, signal: number): void {
    const { record } = this.#running(name);
    if (record.startTicks !== undefined && processStartTicks(record.pid) !== record.startTicks) {
      throw notFound(`process ${taskKey(name)} is not running`);
    }
    process.kill(record.pid, signal);
  }

  resize(name: TaskName, rows: number, columns: number): void {
    this.#find(name).resize(rows, columns);
  }

  async freeze(name: TaskName, frozen: boolean): Promise<void> {
    const cgroup = this.#cgroup(this.#running(name));
    if (!cgroup) throw internal(`the cgroup of container ${name.containerId} is not known`);
    cgroup.freeze(frozen);
    const deadline = Date.now() + FREEZE_MS;
    while (cgroup.isFrozen() !== frozen) {
      if (Date.now() > deadline) {
        cgroup.freeze(!frozen);
        throw internal(`container ${name.containerId} could not be ${frozen ? 'paused' : 'resumed'} in time`);
      }
      await delay(1);
    }
  }

  pids(name: TaskName): number[] {
    return this.#cgroup(this.#running(name))?.pids() ?? [];
  }

  list(): WireTask[] {
    return [...this.tasks.values()].flatMap((task) => wireTask(task.record) ?? []);
  }

  /** The exit is known to the daemon: it will not be told again. */
  acknowledge(name: TaskName, exitedAt: string): void {
    const task = this.tasks.get(taskKey(name));
    if (task?.record.exitedAt !== exitedAt || task.record.acknowledged) return;
    task.record = { ...task.record, acknowledged: true };
    this.store.save(task.record);
  }

  /** Exits that no daemon has taken note of. */
  unacknowledged(): Task[] {
    return [...this.tasks.values()].filter(
      ({ record, announced }) => announced && record.status === 'exited' && !record.acknowledged,
    );
  }

  async announce(task: Task): Promise<void> {
    task.announced = true;
    if (!task.record.acknowledged) await this.onExit?.(task);
  }

  oomKilled(task: Task): boolean {
    return task.name.execId === undefined && (this.#cgroup(task)?.oomKills() ?? 0) > 0;
  }

  async delete(containerId: string): Promise<void> {
    checkId(containerId);
    await this.#cleaning.get(containerId);
    const tasks = [...this.tasks.values()].filter((task) => task.name.containerId === containerId);
    const main = tasks.find((task) => task.name.execId === undefined);
    const cgroup = main && this.#cgroup(main);
    await this.#killAll(tasks, cgroup);
    if (main || this.#oci.knows(containerId))
      await this.#removeState(main?.record ?? { containerId }, cgroup);
    for (const task of tasks) this.#drop(task);
    // Nothing has run: its start has failed, or it goes for good. Otherwise they may wait for the next run.
    if (!main) for (const parked of this.attachments.takeParked(taskKey({ containerId }))) parked.end();
  }

  deleteExec(name: TaskName): void {
    const task = this.tasks.get(taskKey(name));
    if (!task) return;
    if (task.record.status !== 'exited') throw conflict(`exec ${name.execId ?? ''} is running`);
    void task.finished.then(() => this.#drop(task));
  }

  /** A supervisor was killed while it started this container: nobody knows of it, so it goes. */
  interrupted(record: TaskRecord): void {
    const { containerId, execId } = record;
    if (execId !== undefined) return;
    const cleaning = this.#cleanUp(record).finally(() => this.#cleaning.delete(containerId));
    this.#cleaning.set(containerId, cleaning);
  }

  async #cleanUp({ containerId, cgroup: path, runtime }: TaskRecord): Promise<void> {
    const cgroup = path === undefined ? undefined : new Cgroup(this.#cgroupHost, path);
    try {
      // The OCI runtime itself may still be at work.
      for (let left = INTERRUPTED_MS; left > 0; left -= 10) {
        cgroup?.kill();
        await delay(10);
      }
      await this.#removeState({ containerId, runtime }, cgroup);
    } catch (error) {
      this.options.logger.warn(
        { container: containerId, error: messageOf(error) },
        'interrupted start left remains',
      );
    }
  }

  /** Takes up a task of an earlier life of this program. */
  adopt(task: Task): void {
    this.tasks.set(task.key, task);
  }

  close(): void {
    this.children.stop();
    this.#oci.close();
  }

  #claim(name: TaskName, record: TaskRecord, log: Task['log']): Task {
    checkId(name.containerId);
    if (name.execId !== undefined) checkId(name.execId);
    const known = this.tasks.get(taskKey(name));
    if (known && (known.record.status !== 'exited' || name.execId !== undefined)) {
      throw conflict(`process ${taskKey(name)} was already started`);
    }
    if (known) this.#drop(known);
    const task = new Task(record, log, this);
    this.tasks.set(task.key, task);
    this.store.save(record);
    return task;
  }

  #start(
    task: Task,
    start: Pick<OciStart, 'verb' | 'containerId' | 'args' | 'owner' | 'oomScore'>,
    size: readonly [number, number] | undefined,
  ): Promise<Started> {
    return this.children.holding(async () => {
      const streams = prepareStreams(this.store, task.name, task.record);
      let started: OciStarted;
      try {
        const { tty, runtime } = task.record;
        const files = this.store.path(task.name, 'oci');
        started = await this.#oci.start({ ...start, tty, runtime, stdio: streams.theirs, files });
      } catch (error) {
        streams.discard();
        throw error;
      }
      streams.closeTheirs();
      return this.#started(task, started, streams.ours, size);
    });
  }

  #started(
    task: Task,
    { pid, terminal }: OciStarted,
    streams: Task['streams'],
    size: readonly [number, number] | undefined,
  ): Started {
    const startedAt = this.options.clock.now().toString();
    const path = task.name.execId === undefined ? cgroupPathOf(pid) : undefined;
    // That of a process which has already ended reads as the root.
    const cgroup = path && path !== '/' ? path : task.record.cgroup;
    const startTicks = processStartTicks(pid);
    task.record = { ...task.record, status: 'running', pid, startedAt, startTicks, cgroup };
    this.store.save(task.record);
    for (const parked of this.attachments.takeParked(task.key)) task.attach(parked);
    task.begin(terminal === undefined ? streams : { terminal });
    if (terminal !== undefined && size?.[0] && size[1]) task.resize(size[0], size[1]);
    this.watch(task);
    return { pid, startedAt };
  }

  /** Waits for the exit of a child of ours. */
  watch(task: Task): void {
    this.children.watch(task.record.pid, (exit) => {
      task.exited(exit).catch((error: unknown) => {
        this.options.logger.error({ task: task.key, error: messageOf(error) }, 'exit could not be recorded');
      });
    });
  }

  #find(name: TaskName): Task {
    const task = this.tasks.get(taskKey(name));
    if (!task) throw notFound(`no such process: ${taskKey(name)}`);
    return task;
  }

  #running(name: TaskName): Task {
    const task = this.#find(name);
    if (!task.running) throw notFound(`process ${taskKey(name)} is not running`);
    return task;
  }

  #cgroup(task: Task): Cgroup | undefined {
    const { cgroup } = task.record;
    return cgroup === undefined ? undefined : new Cgroup(this.#cgroupHost, cgroup);
  }

  async #killAll(tasks: readonly Task[], cgroup: Cgroup | undefined): Promise<void> {
    const deadline = Date.now() + KILL_MS;
    const running = tasks.filter((task) => task.running);
    for (;;) {
      const left = cgroup?.pids() ?? [];
      const alive = tasks.some((task) => task.running);
      if (!alive && left.length === 0) break;
      if (cgroup?.isFrozen()) cgroup.freeze(false);
      cgroup?.kill();
      for (const task of running) if (task.running) signalQuietly(task.record.pid);
      if (Date.now() > deadline) throw internal('processes of the container do not end');
      await delay(1);
    }
  }

  async #removeState(task: TaskName & Partial<TaskRecord>, cgroup: Cgroup | undefined): Promise<void> {
    const { containerId, bundle, runtime } = task;
    const hooks = bundle === undefined || hasPoststop(bundle);
    const removed = cgroup?.remove() ?? false;
    const files = this.store.path({ containerId }, 'oci');
    if (!removed || hooks) await this.#oci.delete(containerId, files, runtime).catch(ignore);
    if (cgroup && !removed) cgroup.remove();
    this.#oci.forget(containerId);
  }

  /** Forgets a task; output that a client still takes goes on to it. */
  #drop(task: Task): void {
    task.forgotten = true;
    if (task.record.status !== 'exited' || task.done) task.close();
    else void task.finished.then(() => task.close());
    if (this.tasks.get(task.key) === task) this.tasks.delete(task.key);
    this.store.remove(task.name);
  }

  /** After a failed run: nothing of the container stays in the OCI runtime. */
  async #discard(task: Task): Promise<void> {
    const { containerId } = task.name;
    if (this.#oci.knows(containerId)) {
      const files = this.store.path(task.name, 'oci');
      await this.#oci.delete(containerId, files, task.record.runtime).catch(ignore);
      this.#oci.forget(containerId);
    }
    this.#cgroup(task)?.remove();
    this.#drop(task);
  }

  #refused(error: unknown, verb: 'run' | 'exec', program = ''): unknown {
    return error instanceof OciRuntimeError ? translateOciError(error.message, { verb, program }) : error;
  }
}

const blank = {
  status: 'starting',
  pid: 0,
  startedAt: '0',
  bundle: undefined,
  log: undefined,
  startTicks: undefined,
  acknowledged: false,
} as const;

/** A bundle that is gone may have had them. */
function hasPoststop(bundle: string): boolean {
  try {
    return readBundle(bundle).poststop;
  } catch {
    return true;
  }
}

function checkId(id: string): void {
  if (!ID.test(id)) throw invalidArgument(`invalid id ${JSON.stringify(id)}`);
}

function signalQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

const ignore = (): void => undefined;
