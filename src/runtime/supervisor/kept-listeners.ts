import { lstatSync, renameSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { messageOf, type Logger } from '#kernel';
import { close, copyDescriptor, duplicate, removeFile, setCloseOnExec } from '#linux';
import type { WireListener } from './protocol.ts';

/** How long clients wait for the next daemon before they are told that there is none. */
const GRACE_MS = 5_000;
const ANSWER_MS = 5_000;

/** A kept socket as it goes to the next program in the same process. */
export interface SavedListener extends WireListener {
  /** Device and inode of its file. */
  readonly file: string;
}

interface Kept extends SavedListener {
  answering: Server | undefined;
}

/** Where the file of a socket waits while nobody serves it: whoever looks for the engine finds none. */
export const restingPath = (path: string): string => join(dirname(path), `.${basename(path)}.resting`);

/** Device and inode; undefined when nothing is there. */
const identity = (path: string): string | undefined => {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
};

/**
 * The daemon's listening sockets, kept open while there is no daemon. A bind mount is of an inode: containers that have
 * a socket mounted reach the next daemon only if it serves the very same socket.
 */
export class KeptListeners {
  readonly #kept = new Map<string, Kept>();
  readonly #logger: Logger;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger, graceMs = GRACE_MS) {
    this.#logger = logger;
    this.#graceMs = graceMs;
  }

  /** Takes a copy of the descriptor from its process. Throws SystemError. */
  keep(path: string, pid: number, fd: number): void {
    const file = identity(path);
    const copy = copyDescriptor(pid, fd);
    this.#release(path);
    this.#kept.set(path, { path, fd: copy, file: file ?? '', answering: undefined });
  }

  /** Puts the files back in place. A socket whose place another one has taken meanwhile is dropped. */
  takeUp(): WireListener[] {
    for (const { path, file } of [...this.#kept.values()]) {
      const resting = restingPath(path);
      if (identity(path) === undefined && identity(resting) === file) renameSync(resting, path);
      if (identity(path) !== file) this.drop(path);
    }
    return [...this.#kept.values()].map(({ path, fd }) => ({ path, fd }));
  }

  drop(path: string): void {
    const kept = this.#kept.get(path);
    if (!kept) return;
    this.#release(path);
    for (const name of [path, restingPath(path)]) if (identity(name) === kept.file) removeFile(name);
  }

  /** A daemon is there: it accepts. */
  attended(): void {
    clearTimeout(this.#timer);
    for (const kept of this.#kept.values()) {
      kept.answering?.close();
      kept.answering = undefined;
    }
  }

  /** The daemon has gone: clients wait for the next one, not for ever. */
  unattended(): void {
    clearTimeout(this.#timer);
    if (this.#kept.size > 0) this.#timer = setTimeout(() => this.#answerAll(), this.#graceMs);
  }

  /** Takes the files out of sight. */
  rest(): void {
    for (const { path, file } of this.#kept.values()) {
      if (identity(path) === file) renameSync(path, restingPath(path));
    }
  }

  /** Nobody can have one mounted any more. */
  close(): void {
    clearTimeout(this.#timer);
    for (const path of [...this.#kept.keys()]) this.drop(path);
  }

  save(): SavedListener[] {
    return [...this.#kept.values()].map(({ path, fd, file }) => ({ path, fd, file }));
  }

  restore(saved: readonly SavedListener[]): void {
    for (const listener of saved) {
      setCloseOnExec(listener.fd, true);
      this.#kept.set(listener.path, { ...listener, answering: undefined });
    }
    this.unattended();
  }

  #release(path: string): void {
    const kept = this.#kept.get(path);
    if (!kept) return;
    kept.answering?.close();
    close(kept.fd);
    this.#kept.delete(path);
  }

  #answerAll(): void {
    try {
      this.rest();
    } catch (error) {
      this.#logger.warn({ error: messageOf(error) }, 'the socket of a daemon that has gone stays in place');
    }
    for (const kept of this.#kept.values()) {
      const server = createServer(answer);
      server.on('error', (error) =>
        this.#logger.warn({ path: kept.path, error: messageOf(error) }, 'a kept socket cannot be answered'),
      );
      server.listen({ fd: duplicate(kept.fd) });
      kept.answering = server;
    }
  }
}

const message = JSON.stringify({
  message: 'the engine is not running: start it with: wharf daemon start',
});

/** Any request gets the same answer, and the connection ends. */
function answer(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.setTimeout(ANSWER_MS, () => socket.destroy());
  socket.once('data', () => {
    socket.end(
      `HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: ${message.length}\r\n` +
        `Connection: close\r\n\r\n${message}`,
    );
  });
}
