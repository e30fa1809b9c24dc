import { KeyedLock } from '#kernel';

/**
 * Who uses the mounted root file systems of containers: their runs, and copies from or into stopped ones. The upper
 * folder of an overlay may be mounted once only, so that whoever comes second shares the first one's mount, and the last
 * one takes it away.
 */
export class RootMounts {
  readonly #users = new Map<string, Set<string>>();
  readonly #locks = new KeyedLock();

  /** Registers a user; the first has `mount` called. */
  async acquire(id: string, user: string, mount: () => void): Promise<void> {
    await using _lock = await this.#locks.acquire(id);
    const users = this.#users.get(id) ?? new Set();
    if (users.size === 0) mount();
    this.#users.set(id, users.add(user));
  }

  /** Gives a use up; the last, or one that nobody knows of (it began before a restart), has `unmount` called. */
  async release(id: string, user: string, unmount: () => Promise<void>): Promise<void> {
    await using _lock = await this.#locks.acquire(id);
    const users = this.#users.get(id);
    users?.delete(user);
    if (users && users.size > 0) return;
    this.#users.delete(id);
    await unmount();
  }
}
