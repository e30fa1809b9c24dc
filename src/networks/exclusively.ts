import type { KeyedLock } from '#kernel';

/** Runs `body` while holding the key. */
export async function exclusively<T>(locks: KeyedLock, key: string, body: () => Promise<T>): Promise<T> {
  const lock = await locks.acquire(key);
  try {
    return await body();
  } finally {
    lock[Symbol.dispose]();
  }
}
