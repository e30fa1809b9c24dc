import { isHungUp } from '#linux';
import { SHARED_STALL_MS, STALL_MS, type Attachment, type AttachmentOwner } from './attachment.ts';

const SWEEP_MS = 1000;
/** How long a client may keep its side open after ours has ended. */
const LINGER_MS = 10_000;

/** Every attach connection, and those that wait for their process to be started. */
export class Attachments {
  readonly #all = new Set<Attachment>();
  readonly #parked = new Map<string, Set<Attachment>>();
  #timer: NodeJS.Timeout | undefined;

  get all(): ReadonlySet<Attachment> {
    return this.#all;
  }

  add(attachment: Attachment): void {
    this.#all.add(attachment);
    attachment.socket.once('close', () => this.#remove(attachment));
    this.#timer ??= setInterval(() => this.sweep(Date.now()), SWEEP_MS);
  }

  /** Keeps it, unread, until the task of that key is started. */
  park(key: string, attachment: Attachment): void {
    const parked = this.#parked.get(key) ?? new Set();
    this.#parked.set(key, parked.add(attachment));
    attachment.own({ ...waiting, closed: () => this.#unpark(key, attachment) });
  }

  /** Those parked under the key, now the caller's. */
  takeParked(key: string): Attachment[] {
    const parked = [...(this.#parked.get(key) ?? [])];
    this.#parked.delete(key);
    return parked;
  }

  parkedKeys(): ReadonlyMap<string, ReadonlySet<Attachment>> {
    return this.#parked;
  }

  /** Drops clients that have gone or stand still; a socket that is not read does not report either. `now` in ms. */
  sweep(now: number): void {
    const readers = this.#readers();
    for (const attachment of this.#all) {
      const { socket, endedAt } = attachment;
      const limit = (readers.get(attachment.process) ?? 0) > 1 ? SHARED_STALL_MS : STALL_MS;
      const lingers = endedAt !== undefined && attachment.outlet.size === 0 && now - endedAt > LINGER_MS;
      if (lingers || attachment.outlet.stalledFor(now) > limit) socket.destroy();
      else if (socket.isPaused() || attachment.inputDone) {
        if (isHungUp(socket)) socket.destroy();
      }
    }
  }

  /** How many read the output of each process. */
  #readers(): ReadonlyMap<string, number> {
    const readers = new Map<string, number>();
    for (const attachment of this.#all) {
      if (!attachment.wants('stdout') && !attachment.wants('stderr')) continue;
      readers.set(attachment.process, (readers.get(attachment.process) ?? 0) + 1);
    }
    return readers;
  }

  #unpark(key: string, attachment: Attachment): void {
    const parked = this.#parked.get(key);
    parked?.delete(attachment);
    if (parked?.size === 0) this.#parked.delete(key);
  }

  #remove(attachment: Attachment): void {
    this.#all.delete(attachment);
    if (this.#all.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const waiting: AttachmentOwner = {
  input: () => false,
  inputEnded: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
};
