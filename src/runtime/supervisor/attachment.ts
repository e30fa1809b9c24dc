import type { Socket } from 'node:net';
import { isHungUp } from '#linux';
import type { AttachOptions } from '../runtime.ts';
import { Outlet } from './outlet.ts';
import type { StreamName } from './sink.ts';

/** Above this many bytes waiting for a client, the container's output is paused. */
const HIGH_WATER_BYTES = 256 * 1024;
/** A client that takes nothing for so long is dropped, for the container's sake. */
export const STALL_MS = 60_000;
/** The same when other clients wait for the output that it holds up. */
export const SHARED_STALL_MS = 10_000;

/** What the task behind an attachment does with the client's side. */
export interface AttachmentOwner {
  /** Stdin bytes, owned by the callee. False: stop reading until resumeInput(). */
  input(attachment: Attachment, data: Buffer): boolean;
  /** The client sends nothing more; its side may still be open for output. */
  inputEnded(attachment: Attachment): void;
  /** The queue to the client has become empty. */
  drained(): void;
  /** The connection is gone, whoever closed it. */
  closed(attachment: Attachment): void;
}

/** One client's connection to a process's streams. Its input is not read before it has an owner. */
export class Attachment {
  readonly options: AttachOptions;
  readonly socket: Socket;
  readonly outlet: Outlet;
  inputDone = false;
  /** When end() was called, in milliseconds. */
  endedAt: number | undefined;
  #owner: AttachmentOwner | undefined;

  constructor(socket: Socket, options: AttachOptions) {
    this.socket = socket;
    this.options = options;
    this.outlet = new Outlet(socket, () => this.#owner?.drained());
    socket.pause();
    socket.on('data', (data: Buffer) => {
      if (this.#owner?.input(this, data) === false) socket.pause();
    });
    socket.on('end', () => this.#endInput());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#owner?.closed(this));
  }

  get full(): boolean {
    return this.outlet.size > HIGH_WATER_BYTES;
  }

  /** Which process it is attached to. */
  get process(): string {
    return `${this.options.containerId} ${this.options.execId ?? ''}`;
  }

  wants(stream: StreamName): boolean {
    return stream === 'stderr' ? this.options.stderr : this.options.stdout;
  }

  own(owner: AttachmentOwner): void {
    this.#owner = owner;
    if (this.socket.destroyed) owner.closed(this);
  }

  resumeInput(): void {
    this.socket.resume();
  }

  /** Ends the connection once everything queued has been sent; what the client still sends is dropped. */
  end(now: number = Date.now()): void {
    if (this.endedAt !== undefined) return;
    this.endedAt = now;
    this.#owner = deaf;
    this.outlet.end();
    this.socket.resume();
  }

  #endInput(): void {
    if (this.inputDone) return;
    this.inputDone = true;
    if (this.endedAt !== undefined || isHungUp(this.socket)) this.socket.destroy();
    else this.#owner?.inputEnded(this);
  }
}

const deaf: AttachmentOwner = {
  input: () => true,
  inputEnded: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
};
