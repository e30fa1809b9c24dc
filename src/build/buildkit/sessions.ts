import type { Duplex } from 'node:stream';
import { conflict, invalidArgument } from '#kernel';
import { ClientSession, type SessionIntroduction } from './client-session.ts';

/** Milliseconds that a build waits for the session that it names. */
const patience = 5_000;

/** The sessions of build clients, by their ids. */
export class Sessions implements Disposable {
  readonly #live = new Map<string, ClientSession>();
  readonly #waiting = new Map<string, Set<(session: ClientSession) => void>>();

  /** Takes over a connection, on which the client serves from now on. Throws conflict for an id that is live. */
  open(introduction: SessionIntroduction, socket: Duplex): void {
    const { id } = introduction;
    if (this.#live.has(id)) throw conflict(`session ${id} already exists`);
    const session = new ClientSession(introduction, socket);
    this.#live.set(id, session);
    session.signal.addEventListener('abort', () => this.#live.delete(id), { once: true });
    for (const found of this.#waiting.get(id) ?? []) found(session);
    this.#waiting.delete(id);
  }

  /** The session with an id, which may still be on its way. Throws invalidArgument when it does not come. */
  async get(id: string, signal: AbortSignal): Promise<ClientSession> {
    signal.throwIfAborted();
    const live = this.#live.get(id);
    if (live) return live;
    const { promise, resolve, reject } = Promise.withResolvers<ClientSession>();
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(resolve));
    const late = invalidArgument(`no active session for ${id}: context deadline exceeded`);
    const timer = setTimeout(() => reject(late), patience);
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id);
    }
  }

  [Symbol.dispose](): void {
    for (const session of this.#live.values()) session[Symbol.dispose]();
  }
}
