import { closeSync, fstatSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { conflict, internal } from '#kernel';
import { close, createMemfd, descriptorOf, execve, setCloseOnExec, writeAllSync } from '#linux';
import type { AttachOptions } from '../runtime.ts';
import { Attachment } from './attachment.ts';
import type { SavedListener } from './kept-listeners.ts';
import { noLog } from './sink.ts';
import type { Supervisor } from './supervisor.ts';
import { Task, type SavedTask } from './task.ts';

/** What one program leaves to the next in the same process, as JSON in a memfd; descriptors by number. */
export interface Handover {
  /** How often the program has been replaced, the next time included. */
  readonly generation: number;
  readonly lock: number;
  readonly tasks: readonly SavedTask[];
  readonly attachments: readonly SavedAttachment[];
  /** Absent where the program before knew of none. */
  readonly listeners?: readonly SavedListener[];
}

interface SavedAttachment {
  readonly fd: number;
  readonly options: AttachOptions;
  /** Key of the task that it belongs to, or waits for. */
  readonly task: string | undefined;
  readonly parked: string | undefined;
  readonly inputDone: boolean;
  readonly ended: boolean;
  /** base64: read from the client and not passed on; passed to the client and not taken by the kernel. */
  readonly unread: string;
  readonly unsent: string;
}

export interface NextProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly generation: number;
  readonly lock: number;
  readonly listeners: readonly SavedListener[];
}

const QUIET_MS = 30_000;

/**
 * Replaces this program by execve(2): same process, same children, the same pipes, terminals and clients. Returns only
 * by throwing, with everything as it was. `busy` tells whether requests are under way: their ends are waited for.
 */
export async function replaceProgram(
  supervisor: Supervisor,
  next: NextProgram,
  busy: () => boolean,
): Promise<never> {
  const deadline = Date.now() + QUIET_MS;
  while (busy() || supervisor.children.holds > 0) {
    if (Date.now() > deadline) throw conflict('the supervisor is too busy to be replaced');
    await delay(2);
  }
  const tasks = [...supervisor.tasks.values()];
  for (const task of tasks) task.hold(true);
  for (const { socket } of supervisor.attachments.all) socket.pause();
  const kept: number[] = [];
  try {
    await Promise.all(tasks.map((task) => task.log.flush()));
    return execute(supervisor, next, kept);
  } catch (error) {
    for (const fd of kept) setCloseOnExec(fd, true);
    for (const task of tasks) task.hold(false);
    throw internal('the supervisor could not be replaced', error);
  }
}

/** Nothing else happens in this process from here on. */
function execute(supervisor: Supervisor, next: NextProgram, kept: number[]): never {
  const handover: Handover = {
    generation: next.generation,
    lock: next.lock,
    tasks: [...supervisor.tasks.values()].map((task) => task.save()),
    attachments: saveAttachments(supervisor),
    listeners: next.listeners,
  };
  const state = createMemfd('wharf-supervisor-state');
  try {
    writeAllSync(state, Buffer.from(JSON.stringify(handover)));
    const streams = handover.tasks.flatMap(({ streams }) => Object.values(streams) as (number | undefined)[]);
    const clients = handover.attachments.map(({ fd }) => fd);
    const listeners = next.listeners.map(({ fd }) => fd);
    for (const fd of [state, next.lock, ...streams, ...clients, ...listeners]) {
      if (fd === undefined) continue;
      setCloseOnExec(fd, false);
      kept.push(fd);
    }
    return execve(next.program, [next.program, ...next.args, `--resume-fd=${state}`], next.env);
  } catch (error) {
    kept.shift();
    close(state);
    throw error;
  }
}

function saveAttachments({ attachments, tasks }: Supervisor): SavedAttachment[] {
  const owners = new Map<Attachment, string>();
  for (const task of tasks.values())
    for (const attachment of task.attachments) owners.set(attachment, task.key);
  const parked = new Map<Attachment, string>();
  for (const [key, set] of attachments.parkedKeys())
    for (const attachment of set) parked.set(attachment, key);
  return [...attachments.all].flatMap((attachment) => {
    const { socket, options, inputDone, endedAt, outlet } = attachment;
    const fd = descriptorOf(socket);
    if (fd === undefined) return [];
    const unread: Buffer[] = [];
    // A paused socket gives what it has read and not passed on.
    for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null)
      unread.push(chunk);
    return [
      {
        fd,
        options,
        task: owners.get(attachment),
        parked: parked.get(attachment),
        inputDone,
        ended: endedAt !== undefined,
        unread: Buffer.concat(unread).toString('base64'),
        unsent: Buffer.concat(outlet.unsent()).toString('base64'),
      },
    ];
  });
}

/** Reads what the program before this one left, and closes its descriptor. */
export function readHandover(fd: number): Handover {
  try {
    const data = Buffer.alloc(fstatSync(fd).size);
    for (let offset = 0; offset < data.length;) {
      offset += readSync(fd, data, offset, data.length - offset, offset);
    }
    // Written by this program or one of an older version, whose fields are kept.
    return JSON.parse(data.toString()) as Handover;
  } finally {
    closeSync(fd);
  }
}

/** Goes on with the tasks and clients of the program before. */
export function resumeTasks(supervisor: Supervisor, handover: Handover): void {
  setCloseOnExec(handover.lock, true);
  const attachments = new Map<string | undefined, Attachment[]>();
  for (const saved of handover.attachments) {
    const attachment = restoreAttachment(saved);
    supervisor.attachments.add(attachment);
    if (saved.ended) attachment.end();
    else if (saved.parked !== undefined) supervisor.attachments.park(saved.parked, attachment);
    else if (saved.task === undefined) attachment.socket.destroy();
    else attachments.set(saved.task, [...(attachments.get(saved.task) ?? []), attachment]);
  }
  for (const saved of handover.tasks) {
    const { log } = saved.record;
    const sink = log && !saved.done ? supervisor.options.openLog(log, saved.log) : noLog;
    const task = new Task(saved.record, sink, supervisor);
    supervisor.adopt(task);
    for (const attachment of attachments.get(task.key) ?? []) task.attach(attachment);
    for (const fd of Object.values(saved.streams) as (number | undefined)[]) {
      if (fd !== undefined) setCloseOnExec(fd, true);
    }
    task.restore(saved);
    if (task.running) supervisor.watch(task);
  }
}

function restoreAttachment(saved: SavedAttachment): Attachment {
  setCloseOnExec(saved.fd, true);
  const socket = new Socket({ fd: saved.fd, readable: true, writable: true, allowHalfOpen: true });
  const unread = Buffer.from(saved.unread, 'base64');
  if (unread.length > 0) socket.unshift(unread);
  const attachment = new Attachment(socket, saved.options);
  attachment.inputDone = saved.inputDone;
  attachment.outlet.write(Buffer.from(saved.unsent, 'base64'));
  return attachment;
}
