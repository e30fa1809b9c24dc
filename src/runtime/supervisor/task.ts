import { setTimeout as delay } from 'node:timers/promises';
import { notFound } from '#kernel';
import { setTerminalSize } from '#linux';
import type { Attachment, AttachmentOwner } from './attachment.ts';
import { inPlainWords } from './exec-failure.ts';
import { frameHeader } from './frames.ts';
import { Output } from './output.ts';
import { taskKey, type TaskName } from './protocol.ts';
import type { LogSink, StreamName } from './sink.ts';
import { Stdin } from './stdin.ts';
import type { TaskRecord, TaskStore } from './task-store.ts';

/** The supervisor's descriptors of one process. With a terminal the other three are absent. */
export interface TaskStreams {
  readonly stdin?: number | undefined;
  readonly stdout?: number | undefined;
  readonly stderr?: number | undefined;
  readonly terminal?: number | undefined;
}

/** A task for the next program in this process: plain JSON, descriptors by number. */
export interface SavedTask {
  readonly record: TaskRecord;
  readonly announced: boolean;
  readonly done: boolean;
  readonly log: unknown;
  readonly streams: TaskStreams;
  /** base64: taken from clients and not yet by the process. */
  readonly input: string;
  readonly inputEnded: boolean;
}

/** How long output may be held open by others after the process's exit. */
const DRAIN_MS = 2000;

export interface TaskExitSource {
  readonly exitCode: number | undefined;
  readonly at: bigint;
}

/** What a task needs from its supervisor. */
export interface TaskHost {
  readonly store: TaskStore;
  /** Whether the OOM killer took a process of the task's container. */
  oomKilled(task: Task): boolean;
  /** Tells the daemon of the exit; resolves when it has taken note, or need not be waited for. */
  announce(task: Task): Promise<void>;
}

/** One process with its streams: output to the log and to attachments, input from attachments, then its exit. */
export class Task implements AttachmentOwner {
  readonly name: TaskName;
  readonly log: LogSink;
  record: TaskRecord;
  /** The exit has been told to the daemon, or was to be told. */
  announced = false;
  /** Its files are no longer its own. */
  forgotten = false;
  /** Settles when the exit is recorded, told and all output delivered. */
  readonly finished: Promise<undefined>;
  streams: TaskStreams = {};
  stdin: Stdin | undefined;
  readonly #finish = Promise.withResolvers<undefined>();
  readonly #host: TaskHost;
  readonly #outputs: Output[] = [];
  readonly #attachments = new Set<Attachment>();
  readonly #drained = Promise.withResolvers<undefined>();
  #open = 0;
  #pendingLogs = 0;
  #held = false;
  #done = false;
  /** It has printed something. */
  #spoken = false;

  constructor(record: TaskRecord, log: LogSink, host: TaskHost) {
    this.name = { containerId: record.containerId, execId: record.execId };
    this.record = record;
    this.log = log;
    this.#host = host;
    this.finished = this.#finish.promise;
  }

  get key(): string {
    return taskKey(this.name);
  }

  get running(): boolean {
    return this.record.status === 'running';
  }

  /** All output was delivered and attachments have been ended. */
  get done(): boolean {
    return this.#done;
  }

  get attachments(): ReadonlySet<Attachment> {
    return this.#attachments;
  }

  /** Begins to read the output. Attach what waits before. `input` goes to stdin ahead of theirs. */
  begin(streams: TaskStreams, input?: Buffer): void {
    this.streams = streams;
    if (streams.terminal !== undefined) {
      const output = this.#read(streams.terminal, 'terminal', 'stdout');
      this.stdin = new Stdin(streams.terminal, output.socket, () => this.#resumeInput());
    }
    if (streams.stdout !== undefined) this.#read(streams.stdout, 'fifo', 'stdout');
    if (streams.stderr !== undefined) this.#read(streams.stderr, 'fifo', 'stderr');
    if (streams.stdin !== undefined) {
      this.stdin = new Stdin(streams.stdin, undefined, () => this.#resumeInput());
    }
    if (this.#open === 0) this.#drained.resolve(undefined);
    if (input) this.stdin?.write(input);
    // Clients that had nothing to send have ended their input before there was anything to end.
    for (const attachment of [...this.#attachments]) if (attachment.inputDone) this.inputEnded(attachment);
    this.#resumeInput();
    this.#flow();
  }

  #read(fd: number, kind: 'fifo' | 'terminal', stream: StreamName): Output {
    const output = new Output(fd, kind, {
      data: (chunk) => this.#deliver(stream, chunk),
      end: () => {
        this.#open -= 1;
        if (this.#open === 0) this.#drained.resolve(undefined);
      },
    });
    this.#outputs.push(output);
    this.#open += 1;
    return output;
  }

  attach(attachment: Attachment): void {
    this.#attachments.add(attachment);
    attachment.own(this);
    if (this.streams.terminal !== undefined || this.streams.stdout !== undefined) attachment.resumeInput();
  }

  input(attachment: Attachment, data: Buffer): boolean {
    if (!attachment.options.stdin || !this.record.openStdin || !this.stdin || this.stdin.closed) return true;
    this.stdin.write(data);
    return !this.stdin.full;
  }

  inputEnded(attachment: Attachment): void {
    if (!attachment.options.stdin) return;
    if (this.record.stdinOnce && !this.record.tty) {
      this.stdin?.end();
      return;
    }
    // As in Docker: where the end of a client's input is not the end of stdin, it ends the attachment.
    this.#attachments.delete(attachment);
    attachment.end();
    this.#flow();
  }

  drained(): void {
    this.#flow();
  }

  closed(attachment: Attachment): void {
    if (!this.#attachments.delete(attachment)) return;
    if (attachment.options.stdin && this.record.stdinOnce && !this.record.tty) this.stdin?.end();
    this.#flow();
  }

  /** Throws notFound without a running terminal. */
  resize(rows: number, columns: number): void {
    const { terminal } = this.streams;
    if (!this.running || terminal === undefined || this.#open === 0) {
      throw notFound(`process ${this.key} has no terminal`);
    }
    setTerminalSize(terminal, rows, columns);
  }

  /** Reads on (false) or holds everything still, as before an upgrade. */
  hold(held: boolean): void {
    this.#held = held;
    this.#flow();
  }

  /** For the program that goes on with this one's descriptors. */
  save(): SavedTask {
    const open = new Set(this.#outputs.filter(({ ended }) => !ended).map(({ fd }) => fd));
    const ifOpen = (fd: number | undefined): number | undefined =>
      fd !== undefined && open.has(fd) ? fd : undefined;
    const { stdin, streams } = this;
    return {
      record: this.record,
      announced: this.announced,
      done: this.#done,
      log: this.log.save(),
      streams: {
        stdin: streams.stdin !== undefined && stdin && !stdin.destroyed ? streams.stdin : undefined,
        stdout: ifOpen(streams.stdout),
        stderr: ifOpen(streams.stderr),
        terminal: ifOpen(streams.terminal),
      },
      input: Buffer.concat(stdin?.outlet.unsent() ?? []).toString('base64'),
      inputEnded: stdin?.outlet.ended ?? false,
    };
  }

  /** Goes on from what save() gave. Attachments come before. */
  restore(saved: SavedTask): void {
    this.announced = saved.announced;
    this.#done = saved.done;
    this.begin(saved.streams, Buffer.from(saved.input, 'base64'));
    if (saved.inputEnded) this.stdin?.end();
    if (this.#done) this.#finish.resolve(undefined);
    else if (this.record.status === 'exited') void this.finish();
  }

  /** The process has ended: record, flush, tell, end the attachments. */
  async exited(exit: TaskExitSource): Promise<void> {
    const started = BigInt(this.record.startedAt);
    this.record = {
      ...this.record,
      status: 'exited',
      exitedAt: (exit.at > started ? exit.at : started + 1n).toString(),
      exitCode: exit.exitCode,
      oomKilled: this.#host.oomKilled(this),
    };
    this.#host.store.save(this.record);
    await this.finish();
  }

  /** What follows once the exit is recorded. */
  async finish(): Promise<void> {
    const limit = delay(DRAIN_MS, undefined, { ref: false });
    await Promise.race([this.#drained.promise, limit]);
    if (this.#open === 0) await this.#endLog();
    const told = this.#host.announce(this);
    if (this.#open > 0) {
      // A slow client is waited for (it is dropped when it stands still), a process that keeps our pipe is not.
      while (this.#open > 0 && this.#blocked()) await Promise.race([this.#drained.promise, delay(100)]);
      await this.#endLog();
    }
    await told;
    this.#done = true;
    for (const attachment of this.#attachments) attachment.end();
    this.#attachments.clear();
    this.stdin?.destroy();
    await this.log.close();
    if (!this.forgotten) this.#host.store.removeFifos(this.name);
    // What still holds the output writes into the void from here on, rather than to stand still.
    this.#flow();
    this.#finish.resolve(undefined);
  }

  /** Lets go of the descriptors. */
  close(): void {
    for (const output of this.#outputs) output.close();
    this.stdin?.destroy();
    for (const attachment of this.#attachments) attachment.end();
    this.#attachments.clear();
  }

  async #endLog(): Promise<void> {
    this.log.end('stdout');
    this.log.end('stderr');
    await this.log.flush();
  }

  #deliver(stream: StreamName, output: Buffer): void {
    if (this.#done) return;
    const chunk = this.#spoken ? output : inPlainWords(output);
    this.#spoken = true;
    const written = this.log.write(stream, chunk);
    if (written) this.#awaitLog(written);
    for (const attachment of this.#attachments) {
      if (!attachment.wants(stream)) continue;
      if (this.record.tty) attachment.outlet.write(chunk);
      else attachment.outlet.write(frameHeader(stream, chunk.length), chunk);
    }
    this.#flow();
  }

  #awaitLog(written: Promise<void>): void {
    this.#pendingLogs += 1;
    void written.finally(() => {
      this.#pendingLogs -= 1;
      this.#flow();
    });
  }

  #blocked(): boolean {
    if (this.#held || this.#pendingLogs > 0) return true;
    for (const attachment of this.#attachments) if (attachment.full) return true;
    return false;
  }

  #flow(): void {
    const blocked = this.#blocked();
    for (const output of this.#outputs) {
      if (blocked) output.pause();
      else output.resume();
    }
  }

  #resumeInput(): void {
    if (this.#held) return;
    for (const attachment of this.#attachments) attachment.resumeInput();
  }
}
