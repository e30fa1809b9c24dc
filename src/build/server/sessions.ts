import type { Duplex } from 'node:stream';
import { conflict, invalidArgument } from '#kernel';
import { Arrivals } from './arrivals.ts';
import { ClientSession, type SessionIntroduction } from './client-session.ts';

/** Milliseconds that a build waits for the session that it names. */
const patience = 5_000;

/** The sessions of build clients, by their ids. */
export class Sessions implements Disposable {
  readonly #live = new Arrivals<ClientSession>();

  /** Takes over a connection, on which the client serves from now on. Throws conflict for an id that is live. */
  open(introduction: SessionIntroduction, socket: Duplex): void {
    const { id } = introduction;
    if (this.#live.has(id)) throw conflict(`session ${id} already exists`);
    const session = new ClientSession(introduction, socket);
    session.signal.addEventListener('abort', () => this.#live.delete(id), { once: true });
    this.#live.add(id, session);
  }

  /** The session with an id, which may still be on its way. Throws invalidArgument when it does not come. */
  async get(id: string, signal: AbortSignal): Promise<ClientSession> {
    return this.#live.get(id, signal, patience, () =>
      invalidArgument(`no active session for ${id}: context deadline exceeded`),
    );
  }

  [Symbol.dispose](): void {
    for (const session of this.#live.values()) session[Symbol.dispose]();
  }
}
