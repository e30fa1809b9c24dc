import type { Archiver } from '#archive';
import type { ContentStore } from '#content';
import { errnoOf } from '#kernel';

/** Makes room on the disk for who writes. Put in place once there is a collector. */
export interface Room {
  /** Resolves when as much as can be had was freed; never rejects. */
  make(bytes: number, cause: string): Promise<void>;
}

const fullDisk = new Set(['ENOSPC', 'EDQUOT']);

/** Whether a write failed since the disk is full, here or further down. */
function isFull(error: unknown): boolean {
  if (fullDisk.has(errnoOf(error) ?? '')) return true;
  return error instanceof Error && error.cause !== undefined && isFull(error.cause);
}

/** A content store that asks for room before it takes a blob in, and when the disk turns out to be full. */
export function withRoom(store: ContentStore, room: Room): ContentStore {
  return new Proxy(store, {
    get(target, key) {
      if (key === 'ingest') return ingest;
      if (key === 'put') return put;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  async function ingest(options: Parameters<ContentStore['ingest']>[0]): ReturnType<ContentStore['ingest']> {
    const size = options?.expected?.size ?? 0;
    await room.make(size, 'a blob comes in');
    const taken = await store.ingest(options);
    return new Proxy(taken, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (key !== 'write' && key !== 'commit') return value.bind(target) as unknown;
        return async (...parameters: unknown[]): Promise<unknown> => {
          try {
            return await (Reflect.apply(value, target, parameters) as Promise<unknown>);
          } catch (error) {
            // Not waited for: whoever removes blobs may wait for this one to be done.
            if (isFull(error)) void room.make(size, 'the disk is full');
            throw error;
          }
        };
      },
    });
  }
  async function put(...parameters: Parameters<ContentStore['put']>): ReturnType<ContentStore['put']> {
    try {
      return await store.put(...parameters);
    } catch (error) {
      if (!isFull(error)) throw error;
      await room.make(parameters[0].length, 'the disk is full');
      return store.put(...parameters);
    }
  }
}

/** An archiver that asks for room when unpacking finds the disk full, so that another attempt has it. */
export function unpackingWithRoom(archiver: Archiver, room: Room): Archiver {
  const applyLayer: Archiver['applyLayer'] = async (...parameters) => {
    try {
      return await archiver.applyLayer(...parameters);
    } catch (error) {
      if (isFull(error)) await room.make(0, 'the disk is full');
      throw error;
    }
  };
  return new Proxy(archiver, {
    get(target, key) {
      if (key === 'applyLayer') return applyLayer;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
